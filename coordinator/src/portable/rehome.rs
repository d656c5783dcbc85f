//! Gives an event another host, and leaves every other byte of its parts as it is.

use std::fmt;

use nats::ids::HostName;
use nats::stream;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// The fields of an object in the order in which they stand, unread.
struct Fields<'a>(Vec<(String, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Fields<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;

        impl<'de> Visitor<'de> for InOrder {
            type Value = Vec<(String, &'de RawValue)>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut fields = Vec::new();
                while let Some(field) = map.next_entry()? {
                    fields.push(field);
                }
                Ok(fields)
            }
        }

        deserializer.deserialize_map(InOrder).map(Fields)
    }
}

/// The event's text as an event of `host`, whose objects lie in its bucket.
pub fn rehome(event: &str, host: &HostName) -> Result<String, serde_json::Error> {
    replace(event, |name, value| match name {
        "host" => serde_json::to_string(host),
        "object" if value != "null" => replace(value, |name, value| match name {
            "bucket" => serde_json::to_string(&stream::object_bucket(host)),
            _ => Ok(value.to_owned()),
        }),
        _ => Ok(value.to_owned()),
    })
}

fn replace(
    object: &str,
    with: impl Fn(&str, &str) -> Result<String, serde_json::Error>,
) -> Result<String, serde_json::Error> {
    let Fields(fields) = serde_json::from_str(object)?;
    let mut text = String::with_capacity(object.len() + 64);
    for (name, value) in fields {
        text.push(if text.is_empty() { '{' } else { ',' });
        text.push_str(&serde_json::to_string(&name)?);
        text.push(':');
        text.push_str(&with(&name, value.get())?);
    }
    if text.is_empty() {
        text.push('{');
    }
    text.push('}');
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_place_changes_and_it_changes_back() {
        let event = r#"{"v":1,"zeta":{"b":1, "a":[ 2 ]},"host":"vps-1","seq":7,"object":{"bucket":"objects-vps-1","name":"events/x/7.json","new":1.50},"type":"session.teleported","data":{"host":"vps-1","n":1e3}}"#;
        let imported = rehome(event, &"imported".parse().unwrap()).unwrap();
        assert_eq!(
            imported,
            event
                .replace(r#""host":"vps-1","seq""#, r#""host":"imported","seq""#)
                .replace("objects-vps-1", "objects-imported")
        );
        assert_eq!(rehome(&imported, &"vps-1".parse().unwrap()).unwrap(), event);
    }
}
