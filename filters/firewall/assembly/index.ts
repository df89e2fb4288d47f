// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

// Decides once for each session, by its client's address and port, whether its datagrams pass.
import {
  AddressReader,
  Batch,
  ConfigReader,
  configuration,
  defineReason,
  Filter,
  LogLevel,
  log,
  PluginInfo,
  property,
  register,
} from "@msm/filter-sdk/assembly";
import { Rule } from "./rule";

export * from "@msm/filter-sdk/assembly/abi";

const DENIED: u8 = 1;

/** Contexts of sessions are dense; those above, which no worker has, are denied. */
const MAX_SESSIONS: u32 = 1 << 20;

const ALLOW: u8 = 1;

class Firewall extends Filter {
  rules: Array<Rule> = [] as Rule[];
  allowsOthers: bool = true;
  verdicts: StaticArray<u8> = new StaticArray<u8>(<i32>MAX_SESSIONS);
  reader: AddressReader = new AddressReader();

  describe(info: PluginInfo): void {
    // It never looks at a payload.
    info.window = 4;
  }

  configure(): bool {
    defineReason(DENIED, "denied");
    const config = new ConfigReader(configuration());
    if (!config.isEmpty()) this.readConfig(config);
    if (config.problem.length > 0) log(LogLevel.Error, config.problem);
    return config.problem.length == 0;
  }

  onSession(session: u32): void {
    if (session >= MAX_SESSIONS) return;
    const source = property("source.address");
    const isRead = this.reader.read(source.address, source.address + source.size);
    // An address that cannot be read is nobody's: only a rule for everyone could have meant it.
    this.verdicts[session] = isRead && this.allows() ? ALLOW : 0;
  }

  onSessionClosed(session: u32): void {
    if (session < MAX_SESSIONS) this.verdicts[session] = 0;
  }

  onDatagrams(batch: Batch): void {
    let dropped = 0;
    for (let i: u32 = 0; i < batch.count; i++) {
      const datagram = batch.at(i);
      const session = datagram.session;
      if (session < MAX_SESSIONS && unchecked(this.verdicts[session]) == ALLOW) continue;
      datagram.drop(DENIED);
      dropped++;
    }
    if (dropped == 0) batch.markUnchanged();
  }

  /** The first rule that matches decides. */
  private allows(): bool {
    for (let i = 0; i < this.rules.length; i++) {
      const rule = unchecked(this.rules[i]);
      if (rule.matches(this.reader.high, this.reader.low, this.reader.port)) return rule.allows;
    }
    return this.allowsOthers;
  }

  private readConfig(config: ConfigReader): void {
    config.beginObject();
    while (config.nextKey()) {
      if (config.key == "default") this.allowsOthers = readVerdict(config);
      else if (config.key == "rules") {
        config.beginArray();
        while (config.nextItem()) this.rules.push(readRule(config, this.reader));
      } else config.fail("unknown field " + config.key);
    }
    config.end();
  }
}

function readRule(config: ConfigReader, reader: AddressReader): Rule {
  const rule = new Rule();
  let hasAction = false;
  config.beginObject();
  while (config.nextKey()) {
    if (config.key == "action") {
      rule.allows = readVerdict(config);
      hasAction = true;
    } else if (config.key == "sources") {
      config.beginArray();
      while (config.nextItem()) rule.addNetwork(config, reader, config.readString());
    } else if (config.key == "ports") {
      config.beginArray();
      while (config.nextItem()) rule.addPorts(config, config.readString());
    } else config.fail("unknown field " + config.key);
  }
  if (!hasAction) config.fail('a rule needs an action, "allow" or "deny"');
  return rule;
}

function readVerdict(config: ConfigReader): bool {
  const word = config.readString();
  if (word != "allow" && word != "deny") config.fail('"allow" or "deny" is expected');
  return word == "allow";
}

register(new Firewall());
