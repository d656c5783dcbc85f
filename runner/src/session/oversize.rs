//! Rows too big to travel: the whole goes beside the log, the row keeps what a person needs to see.

use nats::Envelope;
use nats::Wire;
use nats::event::ObjectReference;
use serde_json::Value;
use sha2::{Digest, Sha256};

/// Above this a row would slow every watcher down; NATS itself takes 1 MB.
const ROW_BYTES_MAX: usize = 256 * 1024;
/// What is left of a text that was cut.
const TEXT_BYTES_KEPT: usize = 4 * 1024;

/// The row as it travels, and the object that must be stored before it.
pub struct Fitted {
    pub body: Vec<u8>,
    /// Name and bytes.
    pub object: Option<(String, Vec<u8>)>,
}

/// Makes an envelope fit. `bucket` is where this host's objects are.
pub fn fit(envelope: &Envelope, bucket: &str) -> Result<Fitted, serde_json::Error> {
    let body = serde_json::to_vec(envelope)?;
    if body.len() <= ROW_BYTES_MAX {
        return Ok(Fitted { body, object: None });
    }
    let mut message = serde_json::to_value(&envelope.body)?;
    let whole = serde_json::to_vec(&message["data"])?;
    cut_texts(&mut message["data"]);
    let name = format!("events/{}/{}.json", envelope.session, envelope.seq);
    let reference = ObjectReference {
        bucket: bucket.to_owned(),
        name: name.clone(),
        bytes: whole.len() as u64,
        sha256: hex::encode(Sha256::digest(&whole)),
    };
    let small = Envelope {
        object: Some(reference),
        // Cutting texts changes no type, so the message is still the one it was.
        body: serde_json::from_value::<Wire<nats::Event>>(message)?,
        ..envelope.clone()
    };
    Ok(Fitted {
        body: serde_json::to_vec(&small)?,
        object: Some((name, whole)),
    })
}

fn cut_texts(value: &mut Value) {
    match value {
        Value::String(text) if text.len() > TEXT_BYTES_KEPT => {
            let kept = text.floor_char_boundary(TEXT_BYTES_KEPT);
            let left_out = text.len() - kept;
            text.truncate(kept);
            text.push_str(&format!(
                "\n… {left_out} more bytes are kept beside this event"
            ));
        }
        Value::Array(items) => items.iter_mut().for_each(cut_texts),
        Value::Object(fields) => fields.values_mut().for_each(cut_texts),
        Value::String(_) | Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use nats::Timestamp;
    use nats::event::{ToolFinished, ToolOutcome};
    use nats::ids::{EventId, SessionId};

    use super::*;

    #[test]
    fn a_big_output_travels_cut_with_a_mark_and_the_whole_is_kept() {
        let output = "é".repeat(400 * 1024);
        let event = ToolFinished {
            tool_use: "t".into(),
            outcome: ToolOutcome::Succeeded,
            output_bytes: output.len() as u64,
            output: output.clone(),
        };
        let envelope = Envelope {
            v: 1,
            id: EventId::new(),
            session: SessionId::new(),
            host: "vps-1".parse().unwrap(),
            epoch: 1,
            seq: 7,
            at: Timestamp::now(),
            object: None,
            body: Wire::Known(event.into()),
        };
        let fitted = fit(&envelope, "objects-vps-1").unwrap();
        assert!(fitted.body.len() < 10 * 1024);
        let read: Envelope = serde_json::from_slice(&fitted.body).unwrap();
        let (name, whole) = fitted.object.unwrap();
        assert_eq!(read.object.unwrap().name, name);
        let whole: ToolFinished = serde_json::from_slice(&whole).unwrap();
        assert_eq!(whole.output, output);
        let Some(nats::Event::ToolFinished(cut)) = read.body.known() else {
            panic!("another event")
        };
        assert!(
            cut.output
                .ends_with("more bytes are kept beside this event")
        );
    }
}
