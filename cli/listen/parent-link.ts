import { endsAttempt } from '../../src/events.js';
import type { JobFields, Queue } from '../../src/index.js';

/** What a one-shot child tells the listener that started it. */
export type ChildMessage =
  | { readonly type: 'job-started'; readonly job: JobFields }
  | { readonly type: 'job-ended' }
  | { readonly type: 'alive' };

/** What the listener asks its child: whether its event loop still turns. */
export interface ParentMessage {
  readonly type: 'are-you-alive';
}

/**
 * Tells the listener that started this process about its job, and answers its questions.
 *
 * @param stop called when the listener is gone, so that no child works on without anybody watching it.
 */
export function linkToParent(events: Queue['events'], stop: () => void): void {
  events.on('job:*', (event) => {
    if (endsAttempt(event)) return tell({ type: 'job-ended' });
    if (event.event !== 'job:started') return;
    const { id, name, queue, connection, attempts } = event;
    tell({ type: 'job-started', job: { id, name, queue, connection, attempts } });
  });
  process.on('message', (message: ParentMessage) => {
    if (message.type === 'are-you-alive') tell({ type: 'alive' });
  });
  process.on('disconnect', stop);
}

function tell(message: ChildMessage): void {
  // Without a callback a parent that died meanwhile would be an error that nothing catches.
  if (process.connected) process.send?.(message, () => {});
}
