// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { type FSWatcher, watch } from "node:fs";
import { dirname } from "node:path";
import type { Clock } from "../../clock.ts";

/** A running watch over files and folders. */
export interface FileWatch {
  /** Sets which paths matter from now on. */
  follow(paths: readonly string[]): void;
  close(): void;
}

/** Calls `onEvent` when something happened in a folder; throws where the folder cannot be watched. */
export type WatchFolder = (folder: string, onEvent: () => void) => { close(): void };

interface WatchOptions {
  readonly clock: Clock;
  /** After the last event wait so long for more: an editor's save is several. */
  readonly quietMs: number;
  /** Look without an event so often: network file systems and full watch tables send none. */
  readonly pollMs: number;
  readonly watchFolder?: WatchFolder;
}

/**
 * Calls `onMaybeChanged` soon after anything happened in the followed paths' folders, and every `pollMs` anyway;
 * whether something changed is the caller's to find out. Folders are watched, not files, because a file that is
 * replaced by renaming takes its watch with it.
 */
export function watchFiles(onMaybeChanged: () => void, options: WatchOptions): FileWatch {
  const { clock, quietMs, pollMs, watchFolder = watchFolderByEvents } = options;
  const folders = new Map<string, { close(): void }>();
  let cancelQuiet: (() => void) | undefined;
  let cancelPoll = clock.after(pollMs, poll);

  function poll(): void {
    cancelPoll = clock.after(pollMs, poll);
    onMaybeChanged();
  }
  function onEvent(): void {
    cancelQuiet?.();
    cancelQuiet = clock.after(quietMs, onMaybeChanged);
  }
  function follow(paths: readonly string[]): void {
    const wanted = new Set(paths.flatMap((path) => [path, dirname(path)]));
    for (const [folder, watcher] of folders) {
      if (wanted.has(folder)) continue;
      watcher.close();
      folders.delete(folder);
    }
    for (const folder of wanted) {
      if (folders.has(folder)) continue;
      try {
        folders.set(folder, watchFolder(folder, onEvent));
      } catch {
        // Not a folder, or one that cannot be watched: the poll sees its changes.
      }
    }
  }
  function close(): void {
    cancelQuiet?.();
    cancelPoll();
    for (const watcher of folders.values()) watcher.close();
    folders.clear();
  }
  return { follow, close };
}

function watchFolderByEvents(folder: string, onEvent: () => void): FSWatcher {
  const watcher = watch(folder, { persistent: false }, onEvent);
  // A folder that is deleted under its watch: the poll goes on.
  watcher.on("error", () => watcher.close());
  return watcher;
}
