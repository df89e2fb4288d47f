// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { type FileHandle, mkdir, open, readdir, rm } from "node:fs/promises";
import path from "node:path";

/** How much is kept. */
export interface RotationLimits {
  /** The size at which a file is full, and the number of files, the one that is written to included. */
  readonly fileBytes: number;
  readonly files: number;
}

/**
 * Files `<stem>.<number>.<name>` in a folder, of which the oldest goes when there are too many. Numbers go on where an
 * earlier process stopped. Calls must follow each other: await each.
 */
export class RotatingFile {
  readonly #folder: string;
  readonly #stem: string;
  readonly #name: string;
  readonly #limits: RotationLimits;
  #handle: FileHandle | undefined;
  #header: Uint8Array = new Uint8Array();
  #bytes = 0;

  constructor(folder: string, stem: string, name: string, limits: RotationLimits) {
    this.#folder = folder;
    this.#stem = stem;
    this.#name = name;
    this.#limits = limits;
  }

  /** Writes bytes whole into one file, which begins with `header`. Rejects with what the system said; they are lost then. */
  async append(header: Uint8Array, bytes: Uint8Array): Promise<void> {
    const isFull = this.#bytes + bytes.length > this.#limits.fileBytes;
    try {
      if (this.#handle === undefined || isFull || Buffer.compare(header, this.#header) !== 0) {
        await this.#begin(header);
      }
      await this.#handle?.writeFile(bytes);
      this.#bytes += bytes.length;
    } catch (error) {
      // The file may end in the middle of a record: what comes next begins another.
      await this.close();
      throw error;
    }
  }

  async close(): Promise<void> {
    const handle = this.#handle;
    this.#handle = undefined;
    await handle?.close();
  }

  async #begin(header: Uint8Array): Promise<void> {
    await this.close();
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    const numbers = await this.#numbers();
    for (const number of numbers.slice(0, Math.max(0, numbers.length - this.#limits.files + 1))) {
      await rm(this.#path(number), { force: true });
    }
    // Others must not read what was captured.
    this.#handle = await open(this.#path((numbers.at(-1) ?? 0) + 1), "wx", 0o600);
    await this.#handle.writeFile(header);
    this.#header = header;
    this.#bytes = header.length;
  }

  /** The numbers of the files that there are, the oldest first. */
  async #numbers(): Promise<number[]> {
    const isOurs = (file: string): boolean =>
      file.startsWith(`${this.#stem}.`) && file.endsWith(`.${this.#name}`);
    return (await readdir(this.#folder))
      .filter(isOurs)
      .map((file) => Number(file.slice(this.#stem.length + 1, -this.#name.length - 1)))
      .filter((number) => Number.isSafeInteger(number) && number > 0)
      .sort((a, b) => a - b);
  }

  #path(number: number): string {
    return path.join(this.#folder, `${this.#stem}.${String(number).padStart(6, "0")}.${this.#name}`);
  }
}
