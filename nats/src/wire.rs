//! Messages that may come from a newer peer.
//!
//! By hand, because `#[serde(other)]` keeps no payload (a relay would forward an empty shell) and
//! `#[serde(untagged)]` files a broken known message under "unknown" in silence.

use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

/// A message whose `type` this build may or may not know.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Wire<T> {
    Known(T),
    /// A `type` this build does not know. Kept whole, so it can be stored and passed on.
    Unknown(Value),
}

/// An enum that says which `type` values it knows. A test holds the list to the enum.
pub trait Tagged {
    const TAGS: &'static [&'static str];

    /// The `type` of this value.
    fn tag(&self) -> &'static str;

    /// The value of this `type` whose `data` is this text; none for a `type` that this build does not know.
    fn read(tag: &str, data: &str) -> Option<serde_json::Result<Self>>
    where
        Self: Sized;
}

impl<T: Tagged> Wire<T> {
    /// The `type`, known or not.
    #[must_use]
    pub fn tag(&self) -> &str {
        match self {
            Self::Known(message) => message.tag(),
            Self::Unknown(value) => value.get("type").and_then(Value::as_str).unwrap_or(""),
        }
    }

    /// A message whose `type` and `data` were read beside the fields of what it travels in. To have them gathered by
    /// `#[serde(flatten)]` takes twice as long as all the rest of reading.
    pub(crate) fn from_parts(tag: String, data: Option<Box<RawValue>>) -> serde_json::Result<Self>
    where
        T: Tagged,
    {
        let text = data.as_deref().map_or("null", RawValue::get);
        if let Some(known) = T::read(&tag, text) {
            return known.map(Self::Known);
        }
        let mut fields = serde_json::Map::from_iter([("type".to_owned(), tag.into())]);
        if let Some(data) = data {
            fields.insert("data".to_owned(), serde_json::from_str(data.get())?);
        }
        Ok(Self::Unknown(fields.into()))
    }

    /// The message, if this build knows it.
    #[must_use]
    pub const fn known(&self) -> Option<&T> {
        match self {
            Self::Known(message) => Some(message),
            Self::Unknown(_) => None,
        }
    }

    /// The same, to keep.
    #[must_use]
    pub fn into_known(self) -> Option<T> {
        match self {
            Self::Known(message) => Some(message),
            Self::Unknown(_) => None,
        }
    }
}

impl<'de, T: Tagged + DeserializeOwned> Deserialize<'de> for Wire<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        let tag = value
            .get("type")
            .and_then(Value::as_str)
            .ok_or_else(|| D::Error::missing_field("type"))?;
        if !T::TAGS.contains(&tag) {
            return Ok(Self::Unknown(value));
        }
        // A known tag with a bad body is an error, not an unknown message.
        serde_json::from_value(value)
            .map(Self::Known)
            .map_err(D::Error::custom)
    }
}

/// Declares a message enum with `{"type": "...", "data": {...}}` on the wire and its list of tags.
macro_rules! messages {
    ($(#[$doc:meta])* pub enum $name:ident { $($(#[$variant_doc:meta])* $tag:literal => $variant:ident($body:ty),)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, ts_rs::TS)]
        #[serde(tag = "type", content = "data")]
        pub enum $name {
            $($(#[$variant_doc])* #[serde(rename = $tag)] $variant($body),)+
        }

        impl $crate::wire::Tagged for $name {
            const TAGS: &'static [&'static str] = &[$($tag),+];

            fn tag(&self) -> &'static str {
                match self {
                    $(Self::$variant(_) => $tag,)+
                }
            }

            fn read(tag: &str, data: &str) -> Option<serde_json::Result<Self>> {
                match tag {
                    $($tag => Some(serde_json::from_str::<$body>(data).map(Self::$variant)),)+
                    _ => None,
                }
            }
        }

        $(impl From<$body> for $name {
            fn from(body: $body) -> Self {
                Self::$variant(body)
            }
        })+
    };
}
pub(crate) use messages;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Event;

    #[test]
    fn a_newer_peers_message_is_kept_whole() {
        let text = r#"{"data":{"depth":3},"type":"session.teleported"}"#;
        let message: Wire<Event> = serde_json::from_str(text).unwrap();
        assert!(message.known().is_none());
        assert_eq!(serde_json::to_string(&message).unwrap(), text);
    }

    #[test]
    fn a_broken_known_message_is_an_error_and_not_unknown() {
        let broken = r#"{"type":"gate.withdrawn","data":{"gate":17}}"#;
        assert!(serde_json::from_str::<Wire<Event>>(broken).is_err());
    }
}
