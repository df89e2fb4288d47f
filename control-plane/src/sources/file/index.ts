// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import type { ModuleFile, RawResource } from "../../model/raw-resource.ts";
import type { Refusal } from "../../refusal.ts";
import type { Source, SourceOptions, SourceUpdate } from "../source.ts";
import { type FileLimits, fileLimits } from "./limits.ts";
import { readModule } from "./read-module.ts";
import { type FileState, modulePathOf, readResources } from "./read-resources.ts";
import { type FileWatch, watchFiles } from "./watch-files.ts";
import { fileSignature, listYamlFiles, readYamlFile } from "./yaml-files.ts";

// Editors write a file within a few milliseconds; the poll alone still keeps a change well under a second.
const QUIET_MS = 50;
const POLL_MS = 300;

/** Reads mesh resources from a YAML file or a folder of them, and follows their changes. */
export function create(options: SourceOptions & { readonly limits?: FileLimits }): Source {
  return new FileSource(options);
}

/** A file as it was read last: while its signature is the same, it is not read again. */
interface KnownFile {
  readonly signature: string;
  readonly state: FileState;
}

interface KnownModule {
  readonly signature: string;
  readonly module: ModuleFile;
}

class FileSource implements Source {
  readonly #root: string;
  readonly #clock: SourceOptions["clock"];
  readonly #limits: FileLimits;
  #files: ReadonlyMap<string, KnownFile> = new Map();
  #modules: ReadonlyMap<string, KnownModule> = new Map();
  readonly #withModules = new WeakMap<RawResource, RawResource>();
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
          watching.follow(this.#followed());
          onUpdate(update);
        }
      } finally {
        isReading = false;
      }
    };
    const options = { clock: this.#clock, quietMs: QUIET_MS, pollMs: POLL_MS };
    const watching: FileWatch = watchFiles(() => void refresh(), options);
    watching.follow(this.#followed());
    signal.addEventListener("abort", () => watching.close(), { once: true });
  }

  #followed(): readonly string[] {
    return [this.#root, ...this.#files.keys(), ...this.#modules.keys()];
  }

  async #readIfChanged(): Promise<SourceUpdate | undefined> {
    const paths = await this.#listOrKeep();
    const known = new Map<string, { readonly signature: string }>([...this.#files, ...this.#modules]);
    const now = await signaturesOf([...paths, ...this.#modules.keys()]);
    const isSame =
      now.size === known.size && [...now].every(([path, text]) => known.get(path)?.signature === text);
    return isSame ? undefined : this.#readFiles(paths);
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
    const files = new Map<string, KnownFile>();
    // Taken first, so that a change while reading is seen next time.
    for (const [path, signature] of await signaturesOf(paths)) {
      files.set(path, { signature, state: await this.#readFile(path, signature) });
    }
    this.#files = files;
    const states = [...files.values()].map(({ state }) => state);
    const located = states.flatMap((state) => state.resources);
    await this.#readModules(located.flatMap((raw) => modulePathOf(raw) ?? []));
    return this.#limit({
      resources: located.map((raw) => this.#withModule(raw)),
      refusals: states.flatMap((state) => state.refusals),
      isComplete: states.every((state) => state.isComplete),
    });
  }

  async #readFile(path: string, signature: string): Promise<FileState> {
    const before = this.#files.get(path);
    if (before?.signature === signature) return before.state;
    const file = await readYamlFile(path, this.#limits.maxFileBytes);
    const isUnchanged = "text" in file && before !== undefined && file.text === before.state.text;
    return isUnchanged ? before.state : readResources(file, this.#limits.maxAliasCount, before?.state);
  }

  // Modules that did not change are not read again: their bytes keep their identity.
  async #readModules(paths: readonly string[]): Promise<void> {
    const modules = new Map<string, KnownModule>();
    for (const [path, signature] of await signaturesOf(paths)) {
      const before = this.#modules.get(path);
      const module =
        before?.signature === signature ? before.module : await readModule(path, this.#limits.maxModuleBytes);
      modules.set(path, { signature, module });
    }
    this.#modules = modules;
  }

  // The same resource with the same module is the same object: whoever gets it knows that nothing changed.
  #withModule(raw: RawResource): RawResource {
    const path = modulePathOf(raw);
    const module = path === undefined ? undefined : this.#modules.get(path)?.module;
    if (module === undefined) return raw;
    const before = this.#withModules.get(raw);
    if (before?.module === module) return before;
    const whole = { ...raw, module };
    this.#withModules.set(raw, whole);
    return whole;
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

async function signaturesOf(paths: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const once = [...new Set(paths)];
  const signatures = await Promise.all(once.map(fileSignature));
  return new Map(once.map((path, index) => [path, signatures[index]!]));
}
