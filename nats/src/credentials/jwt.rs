//! NATS JWTs: claims signed with an nkey, in the one form that nats-server reads.
//!
//! By hand, because the form is six lines and the crates for it either lack operators and revocations or make bearer
//! tokens by default, which would let a copied file in without its key.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use nkeys::KeyPair;
use serde_json::Value;

const HEADER: &str = r#"{"typ":"JWT","alg":"ed25519-nkey"}"#;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the key `{issuer}` cannot sign")]
    Sign {
        issuer: String,
        #[source]
        source: nkeys::error::Error,
    },
    #[error("not a NATS JWT: it should be three parts of base64url with JSON claims in the middle")]
    NotAJwt,
}

/// Signs the claims: the text that nats-server, and every NATS client, takes.
pub fn sign(claims: &Value, issuer: &KeyPair) -> Result<String, Error> {
    let signed = format!(
        "{}.{}",
        URL_SAFE_NO_PAD.encode(HEADER),
        URL_SAFE_NO_PAD.encode(claims.to_string())
    );
    let signature = issuer
        .sign(signed.as_bytes())
        .map_err(|source| Error::Sign {
            issuer: issuer.public_key(),
            source,
        })?;
    Ok(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
}

/// Reads the claims without checking who signed them; the server is the one that checks.
pub fn claims(jwt: &str) -> Result<Value, Error> {
    let [_, claims, _] = jwt.trim().split('.').collect::<Vec<_>>()[..] else {
        return Err(Error::NotAJwt);
    };
    let claims = URL_SAFE_NO_PAD.decode(claims).map_err(|_| Error::NotAJwt)?;
    serde_json::from_slice(&claims).map_err(|_| Error::NotAJwt)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn signed_claims_read_back_and_carry_the_issuers_signature() {
        let issuer = KeyPair::new_operator();
        let jwt = sign(&json!({"name": "flotilla"}), &issuer).unwrap();
        assert_eq!(claims(&jwt).unwrap(), json!({"name": "flotilla"}));

        let (signed, signature) = jwt.rsplit_once('.').unwrap();
        let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
        issuer.verify(signed.as_bytes(), &signature).unwrap();
    }

    #[test]
    fn a_text_that_is_no_jwt_is_refused() {
        for text in ["", "a.b", "a.b.c.d", "a.!!.c", "a.bm90anNvbg.c"] {
            assert!(claims(text).is_err(), "{text}");
        }
    }
}
