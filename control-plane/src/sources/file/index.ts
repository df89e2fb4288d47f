// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import type { ModuleFile, RawResource } from "../../model/raw-resource.ts";
import type { Refusal } from "../../refusal.ts";
import type { Source, SourceOptions, SourceUpdate } from "../source.ts";
import { type FileLimits, fileLimits } from "./limits.ts";
import { readModule } from "./read-module.ts";
import { type FileState, modulePathOf, readResources } from "./read-resources.ts";
import { type FileWatch, watchFiles } from "./watch-files.ts";
import { filesSignature, listYamlFiles, readYamlFile } from "./yaml-files.ts";

// Editors write a file within a few milliseconds; the poll alone still keeps a change well under a second.
const QUIET_MS = 50;
const POLL_MS = 300;

/** Reads mesh resources from a YAML file or a folder of them, and follows their changes. */
export function create(options: SourceOptions & { readonly limits?: FileLimits }): Source {
  return new FileSource(options);
}

interface KnownModule {
  readonly signature: string;
  readonly module: ModuleFile;
}

class FileSource implements Source {
  readonly #root: string;
  readonly #clock: SourceOptions["clock"];
  readonly #limits: FileLimits;
  #files = new Map<string, FileState>();
  #modules: ReadonlyMap<string, KnownModule> = new Map();
  #followed: readonly string[] = [];
  #signature = "";
  #lastUpdate: SourceUpdate = { resources: [], refusals: [], isComplete: false };

  constructor(options: SourceOptions & { readonly limits?: FileLimits }) {
    this.#root = options.config;
    this.#clock = options.clock;
    this.#limits = options.limits ?? fileLimits;
  }

  async read(): Promise<SourceUpdate> {
    try {
      return await this.#readFiles(await listYamlFiles(this.#root));
    } catch (cause) {
      throw new Error(`MSM_FILE_UNREADABLE: ${this.#root} cannot be read; check the path`, { cause });
    }
  }

  watch(onUpdate: (update: SourceUpdate) => void, signal: AbortSignal): void {
    let isReading = false;
    let isStale = false;
    const refresh = async (): Promise<void> => {
      isStale = true;
      if (isReading) return;
      isReading = true;
      try {
        while (isStale && !signal.aborted) {
          isStale = false;
          const update = await this.#readIfChanged();
          if (update === undefined || signal.aborted) continue;
          watching.follow([this.#root, ...this.#followed]);
          onUpdate(update);
        }
      } finally {
        isReading = false;
      }
    };
    const options = { clock: this.#clock, quietMs: QUIET_MS, pollMs: POLL_MS };
    const watching: FileWatch = watchFiles(() => void refresh(), options);
    watching.follow([this.#root, ...this.#followed]);
    signal.addEventListener("abort", () => watching.close(), { once: true });
  }

  async #readIfChanged(): Promise<SourceUpdate | undefined> {
    const files = await this.#listOrKeep();
    const signature = await filesSignature([...new Set([...files, ...this.#modules.keys()])]);
    return signature === this.#signature ? undefined : this.#readFiles(files);
  }

  // The path that was named on the command line is there to stay: while it is away, so is nothing else.
  async #listOrKeep(): Promise<readonly string[]> {
    try {
      return await listYamlFiles(this.#root);
    } catch {
      return [...this.#files.keys()];
    }
  }

  async #readFiles(paths: readonly string[]): Promise<SourceUpdate> {
    // Taken first, so that a change while reading is seen next time.
    const filesBefore = await filesSignature(paths);
    const files = new Map<string, FileState>();
    for (const path of paths) files.set(path, await this.#readFile(path));
    this.#files = files;
    const states = [...files.values()];
    const located = states.flatMap((state) => state.resources);
    const modulesBefore = await this.#readModules(located.flatMap((raw) => modulePathOf(raw) ?? []));
    this.#signature = [filesBefore, ...modulesBefore].filter((part) => part !== "").join("\n");
    this.#followed = [...files.keys(), ...this.#modules.keys()];
    return this.#limit({
      resources: located.map((raw) => this.#withModule(raw)),
      refusals: states.flatMap((state) => state.refusals),
      isComplete: states.every((state) => state.isComplete),
    });
  }

  async #readFile(path: string): Promise<FileState> {
    const before = this.#files.get(path);
    const file = await readYamlFile(path, this.#limits.maxFileBytes);
    const isUnchanged = "text" in file && before !== undefined && file.text === before.text;
    return isUnchanged ? before : readResources(file, this.#limits.maxAliasCount, before);
  }

  // Modules that did not change are not read again: their bytes keep their identity.
  async #readModules(paths: readonly string[]): Promise<readonly string[]> {
    const modules = new Map<string, KnownModule>();
    for (const path of new Set(paths)) {
      const signature = await filesSignature([path]);
      const before = this.#modules.get(path);
      const module =
        before?.signature === signature ? before.module : await readModule(path, this.#limits.maxModuleBytes);
      modules.set(path, { signature, module });
    }
    this.#modules = modules;
    return [...modules.values()].map(({ signature }) => signature);
  }

  #withModule(raw: RawResource): RawResource {
    const path = modulePathOf(raw);
    const module = path === undefined ? undefined : this.#modules.get(path)?.module;
    return module === undefined ? raw : { ...raw, module };
  }

  // Cutting the list would remove resources that serve: rather nothing of the update takes effect.
  #limit(update: SourceUpdate): SourceUpdate {
    const { maxResources } = this.#limits;
    const first = update.resources[maxResources];
    if (first === undefined) {
      this.#lastUpdate = update;
      return update;
    }
    const refusal: Refusal = {
      code: "MSM_FILE_TOO_MANY_RESOURCES",
      resource: first.id,
      field: "",
      file: first.file,
      ...first.locate([]),
      message: `${update.resources.length} resources, of at most ${maxResources}; nothing of the change takes effect`,
    };
    return { ...this.#lastUpdate, refusals: [...update.refusals, refusal] };
  }
}
