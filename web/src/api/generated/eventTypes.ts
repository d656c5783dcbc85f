// Generated from the Rust types. Do not edit.

/** Every event type this build knows; others are kept and shown by their name. */
export const EVENT_TYPES = [
  "session.opened",
  "session.state",
  "session.ended",
  "agent.ready",
  "agent.exited",
  "agent.retrying",
  "turn.started",
  "turn.finished",
  "message.user",
  "message.delivered",
  "message.assistant",
  "tool.requested",
  "tool.released",
  "tool.finished",
  "gate.opened",
  "gate.decided",
  "gate.withdrawn",
  "gate.reminded",
  "limit.reached",
  "limit.changed",
  "file.changed",
  "warning",
] as const;
