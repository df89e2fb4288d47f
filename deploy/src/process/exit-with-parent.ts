// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

/**
 * Ends a child when its parent is gone, however it went, for then the kernel closes the channel between them: SIGTERM,
 * and two seconds later SIGKILL. Worker threads of the child run this as well, and have no channel; and the channel
 * alone is no reason for the child to live on. The child gets this function's text, so it uses nothing from around it.
 */
function exitWithParent(): void {
  if (!process.channel) return;
  process.once("disconnect", () => {
    setTimeout(() => process.kill(process.pid, "SIGKILL"), 2000).unref();
    process.kill(process.pid, "SIGTERM");
  });
  process.channel.unref();
}

/** What to give to `node --import`, so that the same works from sources and from dist. */
export const exitWithParentUrl = `data:text/javascript,${encodeURIComponent(`(${exitWithParent})()`)}`;
