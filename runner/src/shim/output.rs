//! Reading what the agent says: stdout into the backlog while there is room, of stderr the end.
//! Owns how much is read at once and when there is no more; does not know who is told.

use std::io;
use std::mem::MaybeUninit;

use tokio::io::Interest;
use tokio::net::UnixStream;

use super::backlog::Backlog;

/// Output is read and sent in pieces of this size.
pub(super) const PIECE_BYTES: usize = 64 * 1024;

/// Pieces read in a row before the other side gets its turn.
const PIECES_MAX: usize = 8;

const STDERR_TAIL_BYTES: usize = 8 * 1024;

/// The agent's stdout.
pub(super) struct Output {
    socket: UnixStream,
    pub(super) backlog: Backlog,
    ended: bool,
}

/// The agent's stderr.
pub(super) struct ErrorTail {
    socket: UnixStream,
    tail: Vec<u8>,
    ended: bool,
}

/// What one read found.
enum Found<'a> {
    Bytes(&'a [u8]),
    Nothing,
    End,
}

impl Output {
    pub(super) fn new(socket: UnixStream, backlog: Backlog) -> Self {
        Self {
            socket,
            backlog,
            ended: false,
        }
    }

    /// Everything the agent ever said has been read.
    pub(super) fn has_ended(&self) -> bool {
        self.ended
    }

    /// A full backlog makes the agent wait in its write, and nothing is lost.
    pub(super) fn may_read(&self) -> bool {
        !self.ended && self.backlog.room() > 0
    }

    pub(super) async fn readable(&self) {
        // An error shows again when it is read.
        self.socket.readable().await.ok();
    }

    pub(super) fn read(&mut self, agent_gone: bool) {
        if !self.may_read() {
            return;
        }
        // Not cleared: an agent's word is short, and that would take longer than to read it.
        let mut piece = Vec::<u8>::with_capacity(PIECE_BYTES);
        for _ in 0..PIECES_MAX {
            let room = self.backlog.room().min(PIECE_BYTES);
            if room == 0 || self.ended {
                return;
            }
            match find(
                &self.socket,
                &mut piece.spare_capacity_mut()[..room],
                agent_gone,
            ) {
                Found::Bytes(bytes) => self.backlog.push(bytes),
                Found::Nothing => return,
                Found::End => self.ended = true,
            }
        }
    }
}

impl ErrorTail {
    pub(super) fn new(socket: UnixStream) -> Self {
        Self {
            socket,
            tail: Vec::new(),
            ended: false,
        }
    }

    pub(super) fn may_read(&self) -> bool {
        !self.ended
    }

    pub(super) async fn readable(&self) {
        self.socket.readable().await.ok();
    }

    pub(super) fn read(&mut self, agent_gone: bool) {
        let mut piece = Vec::<u8>::with_capacity(PIECE_BYTES);
        for _ in 0..PIECES_MAX {
            match find(
                &self.socket,
                &mut piece.spare_capacity_mut()[..PIECE_BYTES],
                agent_gone,
            ) {
                Found::Bytes(bytes) => self.tail.extend(bytes),
                Found::Nothing => break,
                Found::End => {
                    self.ended = true;
                    break;
                }
            }
        }
        let surplus = self.tail.len().saturating_sub(STDERR_TAIL_BYTES);
        self.tail.drain(..surplus);
    }

    pub(super) fn text(&self) -> String {
        String::from_utf8_lossy(&self.tail).into_owned()
    }
}

/// Reads what is there. Of an agent that is gone the kernel is asked directly: the runtime may not have heard yet that
/// there is something, and would answer "nothing" from memory. What it has written is all in the socket by then, so
/// nothing is the end, even while something it left behind still holds the other side.
fn find<'a>(socket: &UnixStream, piece: &'a mut [MaybeUninit<u8>], agent_gone: bool) -> Found<'a> {
    let read = || {
        let (read, _) = rustix::io::read(socket, piece)?;
        Ok(&*read)
    };
    let read = if agent_gone {
        read()
    } else {
        socket.try_io(Interest::READABLE, read)
    };
    match read {
        Ok(bytes) if !bytes.is_empty() => Found::Bytes(bytes),
        Err(error) if error.kind() == io::ErrorKind::WouldBlock && !agent_gone => Found::Nothing,
        Ok(_) | Err(_) => Found::End,
    }
}
