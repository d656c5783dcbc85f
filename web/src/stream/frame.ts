/**
 * Gathers what comes in and hands it on once per painted frame, so that any rate of messages gives at most sixty
 * updates a second. A hidden tab paints no frames: there a timer is first.
 */

const HIDDEN_MS = 250;

export class FrameQueue<T> {
  private waiting: T[] = [];
  private frame = 0;
  private timer = 0;
  private readonly flush: (items: readonly T[]) => void;

  constructor(flush: (items: readonly T[]) => void) {
    this.flush = flush;
  }

  push(item: T): void {
    this.waiting.push(item);
    if (this.timer !== 0) return;
    this.frame = requestAnimationFrame(this.run);
    this.timer = window.setTimeout(this.run, HIDDEN_MS);
  }

  private readonly run = (): void => {
    cancelAnimationFrame(this.frame);
    clearTimeout(this.timer);
    this.timer = 0;
    const items = this.waiting;
    this.waiting = [];
    this.flush(items);
  };
}
