// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { createHash, randomUUID } from "node:crypto";
import { mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** What a cache may take on the disk unless said: sixteen of the largest modules. */
const MAX_BYTES = 256 * 1024 * 1024;

const NAME = /^[0-9a-f]{64}$/;

/**
 * Modules on the disk, each under its SHA-256. Whoever may write there can do no more than make a proxy fetch again: what
 * is read is checked. The files that were not used for longest go where there is no room.
 */
export class CodeCache {
  readonly #folder: string;
  readonly #maxBytes: number;

  constructor(folder: string, maxBytes = MAX_BYTES) {
    this.#folder = folder;
    this.#maxBytes = maxBytes;
  }

  /** The bytes with this digest; undefined where they are not here, or damaged. */
  async read(sha256: string): Promise<Uint8Array | undefined> {
    const file = join(this.#folder, sha256);
    const bytes = await readFile(file).catch(() => undefined);
    if (bytes === undefined) return undefined;
    if (digestOf(bytes) !== sha256) {
      await rm(file, { force: true });
      return undefined;
    }
    const now = new Date();
    await utimes(file, now, now).catch(() => {});
    return bytes;
  }

  /** Keeps bytes whose digest was checked. A disk that does not take them costs the next start a fetch, no more. */
  async write(sha256: string, bytes: Uint8Array): Promise<void> {
    try {
      await mkdir(this.#folder, { recursive: true, mode: 0o700 });
      // Proxies side by side may share the folder: none sees another's half-written file.
      const partial = join(this.#folder, `${randomUUID()}.part`);
      await writeFile(partial, bytes, { mode: 0o600 });
      await rename(partial, join(this.#folder, sha256));
      await this.#prune(sha256);
    } catch {
      // Reading finds nothing, and the code is fetched again.
    }
  }

  /** Removes what was used least lately, until the rest fits. */
  async #prune(kept: string): Promise<void> {
    const names = (await readdir(this.#folder)).filter((name) => NAME.test(name));
    const files = await Promise.all(
      names.map(async (name) => {
        const { size, mtimeMs } = await stat(join(this.#folder, name));
        return { name, size, usedMs: name === kept ? Number.POSITIVE_INFINITY : mtimeMs };
      }),
    );
    let total = files.reduce((sum, { size }) => sum + size, 0);
    for (const { name, size } of files.sort((a, b) => a.usedMs - b.usedMs)) {
      if (total <= this.#maxBytes || name === kept) return;
      await rm(join(this.#folder, name), { force: true });
      total -= size;
    }
  }
}

/** The SHA-256 of bytes, lower-case hexadecimal. */
export function digestOf(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** Where modules are kept unless said: a folder of this user's among the temporary files. */
export function defaultCacheFolder(): string {
  // The number, for in a container a user need not have a name.
  return join(tmpdir(), `msm-code-${process.getuid?.() ?? "user"}`);
}
