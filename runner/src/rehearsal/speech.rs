//! What the rehearsal says: text in pieces, then the finished block, as a model's answer arrives.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use tokio::io::AsyncWrite;

use super::life::{Life, Stop};
use super::line::{self, Outcome};
use super::permission::Call;
use super::turn::Turn;

/// A block of a flood; several make a flood, so that no single line is too long for anybody.
const FLOOD_BLOCK_BYTES: usize = 64 << 10;
const FLOOD_PIECE_BYTES: usize = 1 << 10;

impl<W: AsyncWrite + Unpin> Life<W> {
    /// Says a text in one piece.
    pub(super) async fn say(&mut self, turn: &mut Turn, text: &str) -> Result<(), Stop> {
        self.speak(turn, std::iter::once(text.to_owned()), Duration::ZERO)
            .await
    }

    /// Says so many words, one at a time.
    pub(super) async fn stream(
        &mut self,
        turn: &mut Turn,
        words: u64,
        gap: Duration,
    ) -> Result<(), Stop> {
        self.speak(turn, (0..words).map(word), gap).await
    }

    /// Says what time it is, so many times: whoever reads it knows how long it was on its way.
    pub(super) async fn stamps(
        &mut self,
        turn: &mut Turn,
        count: u64,
        gap: Duration,
    ) -> Result<(), Stop> {
        // Each is taken when it is its turn to be said.
        self.speak(turn, (0..count).map(|_| stamp()), gap).await
    }

    /// Says very much, as fast as it is taken.
    pub(super) async fn flood(&mut self, turn: &mut Turn, bytes: usize) -> Result<(), Stop> {
        for begin in (0..bytes).step_by(FLOOD_BLOCK_BYTES) {
            let block = FLOOD_BLOCK_BYTES.min(bytes - begin);
            let pieces = (0..block)
                .step_by(FLOOD_PIECE_BYTES)
                .map(move |at| filler(FLOOD_PIECE_BYTES.min(block - at)));
            self.speak(turn, pieces, Duration::ZERO).await?;
        }
        Ok(())
    }

    /// Says so many bytes in one line of output.
    pub(super) async fn long_line(&mut self, turn: &mut Turn, bytes: usize) -> Result<(), Stop> {
        turn.messages += 1;
        let block = json!({ "type": "text", "text": filler(bytes) });
        Ok(self
            .output
            .line(line::assistant(&line::new_id("msg"), block))
            .await?)
    }

    /// Says that a tool is wanted: its input in pieces, then the block.
    pub(super) async fn announce(&mut self, turn: &mut Turn, call: &Call) -> Result<(), Stop> {
        let message = self
            .begin(
                turn,
                json!({ "type": "tool_use", "id": call.tool_use, "name": call.tool, "input": {} }),
            )
            .await?;
        let delta = json!({ "type": "input_json_delta", "partial_json": call.input.to_string() });
        self.output.line(piece(delta)).await?;
        let block = json!({ "type": "tool_use", "id": call.tool_use, "name": call.tool, "input": call.input });
        self.output.line(line::assistant(&message, block)).await?;
        self.end("tool_use").await
    }

    async fn speak(
        &mut self,
        turn: &mut Turn,
        pieces: impl Iterator<Item = String>,
        gap: Duration,
    ) -> Result<(), Stop> {
        let message = self
            .begin(turn, json!({ "type": "text", "text": "" }))
            .await?;
        let mut said = String::new();
        for text in pieces {
            self.output
                .line(piece(json!({ "type": "text_delta", "text": text })))
                .await?;
            said.push_str(&text);
            match self.pause(gap).await {
                Err(Stop::Interrupted { request }) => {
                    self.output.line(line::accepted(&request, None)).await?;
                    self.output
                        .line(line::assistant(
                            &message,
                            json!({ "type": "text", "text": said }),
                        ))
                        .await?;
                    return Err(Stop::Aborted(Outcome::AbortedStreaming));
                }
                paused => paused?,
            }
        }
        self.output
            .line(line::assistant(
                &message,
                json!({ "type": "text", "text": said }),
            ))
            .await?;
        turn.said = said;
        self.end("end_turn").await
    }

    async fn begin(&mut self, turn: &mut Turn, block: Value) -> Result<String, Stop> {
        turn.messages += 1;
        let message = line::new_id("msg");
        self.output.line(line::requesting()).await?;
        self.output.line(line::message_start(&message)).await?;
        let start = json!({ "type": "content_block_start", "index": 0, "content_block": block });
        self.output.line(line::stream_event(start)).await?;
        Ok(message)
    }

    async fn end(&mut self, reason: &str) -> Result<(), Stop> {
        let delta = json!({ "type": "message_delta", "delta": { "stop_reason": reason, "stop_sequence": null },
                            "usage": { "output_tokens": 0 } });
        for event in [
            json!({ "type": "content_block_stop", "index": 0 }),
            delta,
            json!({ "type": "message_stop" }),
        ] {
            self.output.line(line::stream_event(event)).await?;
        }
        Ok(())
    }

    /// Even without a gap, what was said meanwhile is heard: a flood can be interrupted.
    async fn pause(&mut self, gap: Duration) -> Result<(), Stop> {
        if gap.is_zero() {
            self.meanwhile(tokio::task::yield_now()).await
        } else {
            self.meanwhile(tokio::time::sleep(gap)).await
        }
    }
}

fn piece(delta: Value) -> Value {
    line::stream_event(json!({ "type": "content_block_delta", "index": 0, "delta": delta }))
}

/// The n-th word: from a sentence, so that it looks like text, with a number now and then, so that a loss shows.
fn word(number: u64) -> String {
    const WORDS: [&str; 9] = [
        "so",
        "the",
        "rehearsal",
        "speaks",
        "and",
        "means",
        "nothing",
        "by",
        "it",
    ];
    match usize::try_from(number % 10) {
        Ok(at) if at < WORDS.len() => format!("{} ", WORDS[at]),
        _ => format!("({}) ", number + 1),
    }
}

/// Microseconds since 1970, as a word.
fn stamp() -> String {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    format!("@{} ", since.unwrap_or_default().as_micros())
}

/// So many bytes of text in lines, none longer than a screen is wide.
fn filler(bytes: usize) -> String {
    const LINE: &str =
        "A rehearsal may say very much and mean nothing by it; it only has to go through.\n";
    LINE.chars().cycle().take(bytes).collect()
}
