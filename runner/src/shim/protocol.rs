//! The frames between a runner and a shim: one kind byte, then a body. A shim outlives runner upgrades, so bodies are
//! JSON that may grow fields, unknown kinds are told apart from broken ones, and only bulk (input, output) is binary.
//! Owns the bytes on the socket; does not know what either side does with a frame.

use bytes::{Buf, BufMut, Bytes, BytesMut};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tokio_util::codec::LengthDelimitedCodec;

/// Counted up only when an older peer could not be understood any more.
pub(super) const VERSION: u32 = 1;

/// Above any message a person attaches files to; a longer frame is a broken peer.
pub(super) const FRAME_BYTES_MAX: usize = 64 * 1024 * 1024;

/// What a runner says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ToShim {
    /// Makes this connection the one that owns the agent, reading from byte `from` of its output.
    Attach {
        from: u64,
    },
    /// Asks for a `Hello` and nothing else; does not disturb the runner that is attached.
    Probe,
    /// Everything before `position` is in the runner's log and need not be kept.
    Durable {
        position: u64,
    },
    Input {
        id: String,
        bytes: Bytes,
    },
    Signal(AgentSignal),
    /// TERM, after `grace_ms` KILL, then the shim is gone as well.
    End {
        grace_ms: u64,
    },
}

/// What a shim says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FromShim {
    /// The first frame on every connection.
    Hello(Hello),
    /// The output from `from` on is not there; nothing else follows on this connection.
    NotKept {
        from: u64,
        oldest: u64,
        newest: u64,
    },
    Output {
        position: u64,
        bytes: Bytes,
    },
    /// The input of this id is in the agent's stdin, now or since an earlier time it was sent.
    Accepted {
        id: String,
    },
    /// The input of this id did not reach the agent, and this agent will read nothing more.
    Refused {
        id: String,
        reason: String,
    },
    /// Too much waits for the agent already; the input of this id was not taken and is to be sent again later.
    Busy {
        id: String,
    },
    /// All output has been sent and the agent is gone.
    Exited(Exit),
    /// A frame of the runner's was not understood and was ignored.
    Garbled {
        message: String,
    },
}

/// Who the shim holds and which bytes of its output it still has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    pub version: u32,
    pub shim_pid: u32,
    /// Also the agent's process group.
    pub agent_pid: u32,
    pub oldest: u64,
    pub newest: u64,
    /// The agent is gone; `Exited` follows once its output has been read to the end.
    pub exited: bool,
}

/// How the agent ended: exactly one of `code` and `signal` is there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exit {
    pub code: Option<i32>,
    pub signal: Option<i32>,
    /// The last few kilobytes of what it said on stderr.
    pub stderr_tail: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AgentSignal {
    Interrupt,
    Terminate,
    Kill,
}

#[derive(Debug, thiserror::Error)]
pub enum Undecodable {
    #[error("a frame without a kind")]
    Empty,
    #[error("frame kind {0} is not known to this version")]
    UnknownKind(u8),
    #[error("a frame of kind {0} ends too early")]
    Short(u8),
    #[error("a frame of kind {0} names an id that is not text")]
    Id(u8),
    #[error("the body of a frame of kind {kind} does not parse")]
    Body {
        kind: u8,
        #[source]
        source: serde_json::Error,
    },
}

pub(super) fn codec() -> LengthDelimitedCodec {
    LengthDelimitedCodec::builder()
        .max_frame_length(FRAME_BYTES_MAX)
        .new_codec()
}

impl ToShim {
    const ATTACH: u8 = 1;
    const PROBE: u8 = 2;
    const DURABLE: u8 = 3;
    const INPUT: u8 = 4;
    const SIGNAL: u8 = 5;
    const END: u8 = 6;

    pub(super) fn encode(&self) -> Bytes {
        match self {
            Self::Attach { from } => json(Self::ATTACH, &Position { position: *from }),
            Self::Probe => Bytes::from_static(&[Self::PROBE]),
            Self::Durable { position } => json(
                Self::DURABLE,
                &Position {
                    position: *position,
                },
            ),
            Self::Input { id, bytes } => {
                // An id longer than its length field is cut here and then never acknowledged under its own name.
                let id_bytes = u16::try_from(id.len()).unwrap_or(u16::MAX);
                let mut frame = BytesMut::with_capacity(3 + id.len() + bytes.len());
                frame.put_u8(Self::INPUT);
                frame.put_u16(id_bytes);
                frame.put_slice(&id.as_bytes()[..usize::from(id_bytes)]);
                frame.put_slice(bytes);
                frame.freeze()
            }
            Self::Signal(signal) => json(Self::SIGNAL, &SignalBody { signal: *signal }),
            Self::End { grace_ms } => json(
                Self::END,
                &EndBody {
                    grace_ms: *grace_ms,
                },
            ),
        }
    }

    pub(super) fn decode(mut frame: Bytes) -> Result<Self, Undecodable> {
        match frame.try_get_u8().map_err(|_| Undecodable::Empty)? {
            kind @ Self::ATTACH => {
                parse(kind, &frame).map(|Position { position }| Self::Attach { from: position })
            }
            Self::PROBE => Ok(Self::Probe),
            kind @ Self::DURABLE => {
                parse(kind, &frame).map(|Position { position }| Self::Durable { position })
            }
            kind @ Self::INPUT => {
                let id_bytes =
                    usize::from(frame.try_get_u16().map_err(|_| Undecodable::Short(kind))?);
                if frame.len() < id_bytes {
                    return Err(Undecodable::Short(kind));
                }
                let id = String::from_utf8(frame.split_to(id_bytes).to_vec())
                    .map_err(|_| Undecodable::Id(kind))?;
                Ok(Self::Input { id, bytes: frame })
            }
            kind @ Self::SIGNAL => {
                parse(kind, &frame).map(|SignalBody { signal }| Self::Signal(signal))
            }
            kind @ Self::END => {
                parse(kind, &frame).map(|EndBody { grace_ms }| Self::End { grace_ms })
            }
            kind => Err(Undecodable::UnknownKind(kind)),
        }
    }
}

impl FromShim {
    const HELLO: u8 = 65;
    const NOT_KEPT: u8 = 66;
    const OUTPUT: u8 = 67;
    const ACCEPTED: u8 = 68;
    const REFUSED: u8 = 69;
    const EXITED: u8 = 70;
    const GARBLED: u8 = 71;
    const BUSY: u8 = 72;

    pub(super) fn encode(&self) -> Bytes {
        match self {
            Self::Hello(hello) => json(Self::HELLO, hello),
            Self::NotKept {
                from,
                oldest,
                newest,
            } => json(
                Self::NOT_KEPT,
                &NotKeptBody {
                    from: *from,
                    oldest: *oldest,
                    newest: *newest,
                },
            ),
            Self::Output { position, bytes } => {
                let mut frame = BytesMut::with_capacity(9 + bytes.len());
                frame.put_u8(Self::OUTPUT);
                frame.put_u64(*position);
                frame.put_slice(bytes);
                frame.freeze()
            }
            Self::Accepted { id } => json(
                Self::ACCEPTED,
                &InputBody {
                    id: id.clone(),
                    reason: None,
                },
            ),
            Self::Refused { id, reason } => json(
                Self::REFUSED,
                &InputBody {
                    id: id.clone(),
                    reason: Some(reason.clone()),
                },
            ),
            Self::Busy { id } => json(
                Self::BUSY,
                &InputBody {
                    id: id.clone(),
                    reason: None,
                },
            ),
            Self::Exited(exit) => json(Self::EXITED, exit),
            Self::Garbled { message } => json(
                Self::GARBLED,
                &GarbledBody {
                    message: message.clone(),
                },
            ),
        }
    }

    pub(super) fn decode(mut frame: Bytes) -> Result<Self, Undecodable> {
        match frame.try_get_u8().map_err(|_| Undecodable::Empty)? {
            kind @ Self::HELLO => parse(kind, &frame).map(Self::Hello),
            kind @ Self::NOT_KEPT => parse(kind, &frame).map(
                |NotKeptBody {
                     from,
                     oldest,
                     newest,
                 }| Self::NotKept {
                    from,
                    oldest,
                    newest,
                },
            ),
            kind @ Self::OUTPUT => {
                let position = frame.try_get_u64().map_err(|_| Undecodable::Short(kind))?;
                Ok(Self::Output {
                    position,
                    bytes: frame,
                })
            }
            kind @ Self::ACCEPTED => {
                parse(kind, &frame).map(|InputBody { id, .. }| Self::Accepted { id })
            }
            kind @ Self::REFUSED => {
                parse(kind, &frame).map(|InputBody { id, reason }| Self::Refused {
                    id,
                    reason: reason.unwrap_or_default(),
                })
            }
            kind @ Self::BUSY => parse(kind, &frame).map(|InputBody { id, .. }| Self::Busy { id }),
            kind @ Self::EXITED => parse(kind, &frame).map(Self::Exited),
            kind @ Self::GARBLED => {
                parse(kind, &frame).map(|GarbledBody { message }| Self::Garbled { message })
            }
            kind => Err(Undecodable::UnknownKind(kind)),
        }
    }
}

#[derive(Serialize, Deserialize)]
struct Position {
    position: u64,
}

#[derive(Serialize, Deserialize)]
struct SignalBody {
    signal: AgentSignal,
}

#[derive(Serialize, Deserialize)]
struct EndBody {
    grace_ms: u64,
}

#[derive(Serialize, Deserialize)]
struct NotKeptBody {
    from: u64,
    oldest: u64,
    newest: u64,
}

#[derive(Serialize, Deserialize)]
struct InputBody {
    id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct GarbledBody {
    message: String,
}

fn json(kind: u8, body: &impl Serialize) -> Bytes {
    let mut frame = vec![kind];
    if serde_json::to_writer(&mut frame, body).is_err() {
        unreachable!("numbers and text always serialize, and a Vec takes any write");
    }
    frame.into()
}

fn parse<T: DeserializeOwned>(kind: u8, body: &[u8]) -> Result<T, Undecodable> {
    serde_json::from_slice(body).map_err(|source| Undecodable::Body { kind, source })
}

#[cfg(test)]
mod tests;
