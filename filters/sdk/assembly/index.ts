// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

// What a filter is written with. The exports that the host calls are apart, in `abi.ts`.
export { AddressReader } from "./address-reader";
export { loadU16, loadU32, storeU16, storeU32 } from "./bytes";
export { ConfigReader } from "./config-reader";
export {
  Action,
  Addresses,
  Batch,
  BatchFlag,
  Datagram,
  Flag,
  PluginInfo,
  Stage,
  StreamFlag,
  StreamInfo,
} from "./datagram";
export { Directions } from "./directions";
export { Filter, register } from "./filter";
export {
  Bytes,
  closeSession,
  configuration,
  continueSession,
  currentTimeNs,
  defineMetric,
  defineReason,
  LogLevel,
  log,
  MetricType,
  mapMetric,
  openSink,
  property,
  readDatagram,
  recordMetric,
  reportStream,
  resolveTarget,
  routeSession,
  setSessionValue,
  setSharedData,
  setTickPeriod,
  setTimer,
  sharedData,
  sharedVersion,
  TargetKind,
  writeSink,
} from "./host";
export {
  MediaKind,
  mediaKind,
  payloadType,
  RTCP_HEADER_BYTES,
  RTP_HEADER_BYTES,
  sequenceNumber,
  ssrc,
  timestamp,
} from "./rtp";
