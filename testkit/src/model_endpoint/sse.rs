//! Putting an answer on the wire as server-sent events, piece by piece.
//!
//! A broken stream ends with an error, which makes the server drop the connection without the
//! end that HTTP promises: what an agent sees when its network fails.

use std::io;
use std::time::Duration;

use async_stream::stream;
use bytes::Bytes;
use futures::{Stream, StreamExt};
use serde_json::{Value, json};
use tokio::time::sleep;

use super::message::{self, Part};
use crate::stamp;

/// Tools' inputs come in pieces of about this size.
const INPUT_PIECE_CHARACTERS: usize = 24;

/// The events of the answer to `request`, in the pace that its parts ask for. Where the script breaks
/// the stream, it breaks once `breaks` is over.
pub(super) fn events<B>(
    request: &Value,
    parts: Vec<Part>,
    breaks: B,
) -> impl Stream<Item = io::Result<Bytes>> + use<B>
where
    B: Future<Output = ()>,
{
    let head = message::head(request);
    let stop_reason = message::stop_reason(&parts);
    let output_tokens = message::output_tokens(&parts);
    stream! {
        yield Ok(event(json!({"type": "message_start", "message": head})));
        yield Ok(event(json!({"type": "ping"})));
        let mut index = 0;
        for part in parts {
            match part {
                Part::Pause(pause) => sleep(pause).await,
                Part::Cut | Part::CutAfter => {
                    if part == Part::Cut {
                        yield Ok(event(begin(index, json!({"type": "text", "text": ""}))));
                        yield Ok(event(text_delta(index, "This sentence is broken off in the")));
                    }
                    breaks.await;
                    yield Err(io::Error::new(io::ErrorKind::ConnectionReset, "the script breaks the stream here"));
                    return;
                }
                Part::Text { pieces, apart } => {
                    let mut block = std::pin::pin!(text(index, pieces.into_iter(), apart));
                    while let Some(event) = block.next().await {
                        yield Ok(event);
                    }
                    index += 1;
                }
                Part::Stamps { count, apart } => {
                    let stamps = (0..count).map(|_| stamp::taken());
                    let mut block = std::pin::pin!(text(index, stamps, apart));
                    while let Some(event) = block.next().await {
                        yield Ok(event);
                    }
                    index += 1;
                }
                Part::Thinking(_) | Part::Tool { .. } => {
                    for event in at_once(index, part) {
                        yield Ok(event);
                    }
                    index += 1;
                }
            }
        }
        yield Ok(event(json!({
            "type": "message_delta",
            "delta": {"stop_reason": stop_reason, "stop_sequence": null},
            "usage": {"output_tokens": output_tokens},
        })));
        yield Ok(event(json!({"type": "message_stop"})));
    }
}

fn text(
    index: usize,
    pieces: impl Iterator<Item = String>,
    apart: Duration,
) -> impl Stream<Item = Bytes> {
    stream! {
        yield event(begin(index, json!({"type": "text", "text": ""})));
        for piece in pieces {
            yield event(text_delta(index, &piece));
            if !apart.is_zero() {
                sleep(apart).await;
            }
        }
        yield event(end(index));
    }
}

/// The events of a block that nobody wants to see slowly.
fn at_once(index: usize, part: Part) -> Vec<Bytes> {
    let (start, deltas) = match part {
        Part::Thinking(thinking) => (
            json!({"type": "thinking", "thinking": "", "signature": ""}),
            vec![
                json!({"type": "thinking_delta", "thinking": thinking}),
                json!({"type": "signature_delta", "signature": "scripted"}),
            ],
        ),
        Part::Tool { id, name, input } => (
            json!({"type": "tool_use", "id": id, "name": name, "input": {}}),
            chunks(&input.to_string())
                .map(|piece| json!({"type": "input_json_delta", "partial_json": piece}))
                .collect(),
        ),
        Part::Text { .. } | Part::Stamps { .. } | Part::Pause(_) | Part::Cut | Part::CutAfter => {
            unreachable!("these have a pace of their own")
        }
    };
    let deltas = deltas
        .into_iter()
        .map(|delta| json!({"type": "content_block_delta", "index": index, "delta": delta}));
    [begin(index, start)]
        .into_iter()
        .chain(deltas)
        .chain([end(index)])
        .map(event)
        .collect()
}

fn chunks(text: &str) -> impl Iterator<Item = String> {
    let characters: Vec<char> = text.chars().collect();
    let chunks: Vec<String> = characters
        .chunks(INPUT_PIECE_CHARACTERS)
        .map(|chunk| chunk.iter().collect())
        .collect();
    chunks.into_iter()
}

fn begin(index: usize, block: Value) -> Value {
    json!({"type": "content_block_start", "index": index, "content_block": block})
}

fn text_delta(index: usize, text: &str) -> Value {
    json!({"type": "content_block_delta", "index": index, "delta": {"type": "text_delta", "text": text}})
}

fn end(index: usize) -> Value {
    json!({"type": "content_block_stop", "index": index})
}

fn event(data: Value) -> Bytes {
    let name = data["type"].as_str().unwrap_or_default();
    Bytes::from(format!("event: {name}\ndata: {data}\n\n"))
}
