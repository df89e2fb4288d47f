// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

// What a signalling filter is written with. The exports that the host calls are apart, in `signalling-abi.ts`. Such
// filters make and drop texts and objects: they have a collector, `"runtime": "incremental"` in their asconfig.json.
export { ByteWriter } from "./byte-writer";
export { monotonicMs } from "./clock";
export { ConfigReader } from "./config-reader";
export {
  closeConnection,
  closeStream,
  connectionNumber,
  connectStream,
  contextText,
  passInterleaved,
  propertyNumber,
  propertyText,
  readData,
  reply,
  resumeConnection,
  setIdleTimeout,
  writeStream,
} from "./connections";
export { changeFlow, closeFlow, flowText, legAddress, openFlow } from "./flows";
export {
  configuration,
  defineMetric,
  LogLevel,
  log,
  MetricType,
  mapMetric,
  setTickPeriod,
  setTimer,
} from "./host";
export { JsonWriter } from "./json-writer";
export { Found, keptBytes, MessageReader } from "./message-reader";
export { randomHex } from "./random";
export { releaseRoute, reportResult, routeText, selectRoute } from "./routes";
export { Sdp, SdpMedia } from "./sdp";
export { FlowEvent, registerSignalling, SignallingFilter, StreamEvent } from "./signalling-filter";
export { lowerCase, readDecimal, splitOutsideQuotes, textAt, trimBlanks } from "./text";
export { TextMessage } from "./text-message";
