// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

// Adds a number to the SSRC of RTP and drops what is no RTP.
#include "msm_filter.h"

enum { NOT_RTP = 1 };

// RFC 3550 section 5.1: version 2, a header of 12 bytes, the SSRC from byte 8 on.
enum { HEADER_BYTES = 12, SSRC = 8 };

static uint32_t offset = 1;
static uint64_t rewritten;

MSM_EXPORT("proxy_on_configure") bool configure(uint32_t context, size_t size) {
  (void)context, (void)size;
  msm_name_reason(NOT_RTP, "not_rtp");
  msm_count_in("rewritten", &rewritten);
  msm_config config = msm_open_config();
  while (msm_config_next(&config)) {
    if (msm_is(config.key, "offset")) {
      offset = msm_config_number(&config);
      continue;
    }
    msm_log(MSM_ERROR, "unknown field");
    proxy_log(MSM_ERROR, config.key.at, config.key.size);
    return false;
  }
  if (config.is_wrong) msm_log(MSM_ERROR, "the configuration is no object of numbers");
  return !config.is_wrong;
}

MSM_EXPORT("msm_describe") int32_t describe(msm_plugin_info *info, size_t size) {
  (void)size;
  info->window = HEADER_BYTES;
  return 0;
}

MSM_EXPORT("msm_on_datagrams") int32_t on_datagrams(uint32_t context, msm_batch *batch) {
  (void)context;
  for (uint32_t i = 0; i < batch->count; i++) {
    msm_dgram *datagram = &batch->descs[i];
    uint8_t *data = datagram->data;
    if (datagram->len < HEADER_BYTES || data[0] >> 6 != 2) {
      msm_drop(datagram, NOT_RTP);
      continue;
    }
    const uint32_t ssrc = __builtin_bswap32(msm_u32(data + SSRC) + offset);
    __builtin_memcpy(data + SSRC, &ssrc, sizeof ssrc);
    datagram->flags |= MSM_DIRTY;
    rewritten++;
  }
  return 0;
}
