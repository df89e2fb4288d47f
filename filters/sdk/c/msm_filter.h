// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

// Filters of the Media Streaming Mesh in C: the structs and host calls of ABI.md, and what a filter needs in place of a C
// library. Include it in one source file, which defines msm_on_datagrams. Memory is never given back: allocate where the
// filter is configured, not for a datagram. To compile: see languages/c.mjs, or `msm filter test FOLDER`.
#ifndef MSM_FILTER_H
#define MSM_FILTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Before a function that the host calls, with its name in ABI.md.
#define MSM_EXPORT(name) __attribute__((export_name(name)))
#define MSM_IMPORT(name) __attribute__((import_module("env"), import_name(name)))

enum { MSM_CONTINUE, MSM_PAUSE, MSM_DROP, MSM_CONSUME, MSM_REPLY };
enum { MSM_TRACE, MSM_DEBUG, MSM_INFO, MSM_WARN, MSM_ERROR, MSM_CRITICAL };
enum { MSM_COUNTER, MSM_GAUGE, MSM_HISTOGRAM };
enum { MSM_UPSTREAM_DIRECTION = 0x1, MSM_DIRTY = 0x100, MSM_RETARGET = 0x200, MSM_TX_TIME = 0x400, MSM_SET_KEY = 0x800 };
enum { MSM_STAGE_LISTENER = 1, MSM_STAGE_SESSION = 2, MSM_STAGE_EGRESS = 4 };
enum { MSM_BATCH_UNCHANGED = 0x1 };
enum { MSM_PLUGIN_CONFIGURATION = 7, MSM_PLUGIN_CONTEXT = 1 };

// At stage LISTENER: where a datagram comes from and where it was sent to.
typedef struct {
  uint8_t family;
  uint8_t pad;
  uint16_t sport;
  uint16_t dport;
  uint16_t pad2;
  uint8_t src[16];
  uint8_t dst[16];
} msm_addrs;

// One datagram of a batch. The comments of its fields are in ABI.md.
typedef struct {
  uint8_t *data;
  uint16_t len;
  uint16_t avail;
  uint32_t session;
  uint16_t flags;
  uint8_t tos;
  uint8_t ttl;
  uint64_t rx_ns;
  uint8_t action;
  uint8_t reason;
  uint16_t after;
  uint32_t target;
  uint64_t tx_ns;
  uint32_t mark;
  const msm_addrs *addrs;
  uint64_t user;
  uint64_t rsv;
} msm_dgram;

// The datagrams of one call.
typedef struct {
  uint32_t struct_size;
  uint32_t desc_size;
  uint32_t count;
  uint32_t capacity;
  msm_dgram *descs;
  uint8_t *slots;
  uint32_t slot_size;
  uint32_t headroom;
  uint64_t now_ns;
  uint64_t wall_ns;
  uint32_t emitted;
  uint32_t flags;
  uint32_t order;
  uint32_t order_len;
} msm_batch;

// What a filter asks for in msm_describe.
typedef struct {
  uint32_t struct_size;
  uint32_t stages;
  uint32_t window;
  uint32_t max_batch;
  uint32_t emit_capacity;
  uint32_t headroom;
  uint32_t slot_size;
  uint32_t drain_ms;
} msm_plugin_info;

_Static_assert(sizeof(msm_addrs) == 40, "ABI.md");
_Static_assert(sizeof(msm_dgram) == 64, "one descriptor is a cache line");
_Static_assert(sizeof(msm_batch) == 64, "a batch is a cache line");
_Static_assert(sizeof(msm_plugin_info) == 32, "ABI.md");

MSM_IMPORT("proxy_log") int32_t proxy_log(int32_t level, const char *text, size_t size);
MSM_IMPORT("proxy_set_tick_period_milliseconds") int32_t proxy_set_tick_period_milliseconds(uint32_t period);
MSM_IMPORT("proxy_set_effective_context") int32_t proxy_set_effective_context(uint32_t context);
MSM_IMPORT("proxy_get_buffer_bytes")
int32_t proxy_get_buffer_bytes(int32_t type, uint32_t start, uint32_t size, char **out, size_t *out_size);
MSM_IMPORT("proxy_get_property")
int32_t proxy_get_property(const char *path, size_t size, char **out, size_t *out_size);
MSM_IMPORT("proxy_define_metric")
int32_t proxy_define_metric(int32_t type, const char *name, size_t size, uint32_t *id);
MSM_IMPORT("proxy_increment_metric") int32_t proxy_increment_metric(uint32_t id, int64_t delta);
MSM_IMPORT("proxy_record_metric") int32_t proxy_record_metric(uint32_t id, uint64_t value);
MSM_IMPORT("proxy_continue_stream") int32_t proxy_continue_stream(int32_t type);
MSM_IMPORT("proxy_close_stream") int32_t proxy_close_stream(int32_t type);
MSM_IMPORT("msm_map_metric") int32_t msm_map_metric(uint32_t id, const uint64_t *value);
MSM_IMPORT("msm_define_reason") int32_t msm_define_reason(uint32_t code, const char *name, size_t size);
MSM_IMPORT("msm_read_datagram")
int32_t msm_read_datagram(uint32_t index, uint32_t offset, void *to, size_t size);
MSM_IMPORT("msm_resolve_target")
int32_t msm_resolve_target(int32_t kind, const char *name, size_t size, uint32_t *target);
MSM_IMPORT("msm_open_sink")
int32_t msm_open_sink(const char *name, size_t size, const void *header, size_t header_size, uint32_t *sink);
MSM_IMPORT("msm_write_sink") int32_t msm_write_sink(uint32_t sink, const void *record, size_t size);
MSM_IMPORT("msm_set_timer")
int32_t msm_set_timer(uint32_t context, uint32_t id, int64_t delay_us, int64_t period_us);

// The versions of the ABI that the filter speaks.
MSM_EXPORT("proxy_abi_version_0_2_1") void msm_speaks_proxy_wasm(void) {}
MSM_EXPORT("msm_abi_version_0_1_0") void msm_speaks_datagrams(void) {}

// What compilers call for large assignments; each is one instruction.
void *memcpy(void *to, const void *from, size_t size) { return __builtin_memcpy(to, from, size); }
void *memset(void *to, int value, size_t size) { return __builtin_memset(to, value, size); }
void *memmove(void *to, const void *from, size_t size) { return __builtin_memmove(to, from, size); }

extern uint8_t __heap_base;

// Memory for good, aligned to 16 bytes; traps where there is no more.
MSM_EXPORT("proxy_on_memory_allocate") void *msm_allocate(size_t size) {
  static uintptr_t next;
  enum { PAGE = 65536 };
  if (next == 0) next = ((uintptr_t)&__heap_base + 15) & ~(uintptr_t)15;
  const uintptr_t at = next;
  const size_t held = __builtin_wasm_memory_size(0) * (size_t)PAGE;
  if (size > UINT32_MAX - at - PAGE) __builtin_trap();
  next = (at + size + 15) & ~(uintptr_t)15;
  if (next > held && __builtin_wasm_memory_grow(0, (next - held + PAGE - 1) / PAGE) == (size_t)-1)
    __builtin_trap();
  return (void *)at;
}

// Text, not terminated.
typedef struct {
  const char *at;
  size_t size;
} msm_text;

static inline size_t msm_length(const char *text) {
  size_t length = 0;
  while (text[length] != 0) length++;
  return length;
}

static inline bool msm_is(msm_text text, const char *other) {
  if (text.size != msm_length(other)) return false;
  for (size_t i = 0; i < text.size; i++)
    if (text.at[i] != other[i]) return false;
  return true;
}

static inline void msm_log(int32_t level, const char *text) { proxy_log(level, text, msm_length(text)); }

// Names drop reason `code`, 1 to 127.
static inline void msm_name_reason(uint32_t code, const char *name) {
  if (msm_define_reason(code, name, msm_length(name)) != 0) __builtin_trap();
}

// A counter that follows a variable: counting is an addition and no call.
static inline void msm_count_in(const char *name, const uint64_t *variable) {
  uint32_t id;
  if (proxy_define_metric(MSM_COUNTER, name, msm_length(name), &id) != 0) __builtin_trap();
  if (msm_map_metric(id, variable) != 0) __builtin_trap();
}

static inline void msm_drop(msm_dgram *datagram, uint8_t reason) {
  datagram->action = MSM_DROP;
  datagram->reason = reason;
}

// Sends the datagram to a target of msm_resolve_target instead of where its session goes.
static inline void msm_retarget(msm_dgram *datagram, uint32_t target) {
  datagram->target = target;
  datagram->flags |= MSM_RETARGET;
}

// At stage LISTENER: says which session the datagram is of.
static inline void msm_set_key(msm_dgram *datagram, uint64_t key) {
  datagram->user = key;
  datagram->flags |= MSM_SET_KEY;
}

// Adds a datagram to a session; write its payload at `data` and set `len`. NULL where there is no room.
static inline msm_dgram *msm_add(msm_batch *batch, uint32_t session, bool to_client) {
  if (batch->count + batch->emitted >= batch->capacity) return NULL;
  msm_dgram *added = &batch->descs[batch->count + batch->emitted++];
  added->session = session;
  added->flags = to_client ? MSM_UPSTREAM_DIRECTION : 0;
  return added;
}

// Numbers in the order of networks.
static inline uint16_t msm_u16(const uint8_t *at) { return (uint16_t)(at[0] << 8 | at[1]); }
static inline uint32_t msm_u32(const uint8_t *at) {
  return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

// A reader of the filter's configuration: a JSON object of numbers, texts without escapes, true and false.
typedef struct {
  const char *at;
  const char *end;
  msm_text key;
  msm_text value;
  bool is_wrong;
  bool has_begun;
} msm_config;

static inline msm_config msm_open_config(void) {
  char *at = NULL;
  size_t size = 0;
  proxy_get_buffer_bytes(MSM_PLUGIN_CONFIGURATION, 0, UINT32_MAX, &at, &size);
  return (msm_config){.at = at, .end = at + size};
}

static inline char msm_config_peek(msm_config *config) {
  while (config->at < config->end && (uint8_t)*config->at <= ' ') config->at++;
  return config->at < config->end ? *config->at : 0;
}

static inline bool msm_config_take(msm_config *config, char expected) {
  if (msm_config_peek(config) != expected) return false;
  config->at++;
  return true;
}

static inline msm_text msm_config_token(msm_config *config) {
  const bool is_text = msm_config_take(config, '"');
  const char *start = config->at;
  while (config->at < config->end) {
    const char c = *config->at;
    if (is_text ? c == '"' : c == ',' || c == '}' || (uint8_t)c <= ' ') break;
    if (c == '\\' || c == '{' || c == '[') config->is_wrong = true;
    config->at++;
  }
  const msm_text token = {start, (size_t)(config->at - start)};
  if (is_text ? !msm_config_take(config, '"') : token.size == 0) config->is_wrong = true;
  return token;
}

// Goes to the next field; false at the end and where the text is wrong, which `is_wrong` says.
static inline bool msm_config_next(msm_config *config) {
  if (config->is_wrong || msm_config_peek(config) == 0) {
    config->is_wrong = config->is_wrong || config->has_begun;
    return false;
  }
  const char before = config->has_begun ? ',' : '{';
  if (config->has_begun && msm_config_take(config, '}')) {
    config->has_begun = false;
    config->is_wrong = msm_config_peek(config) != 0;
    return false;
  }
  if (!msm_config_take(config, before)) return !(config->is_wrong = true);
  if (!config->has_begun && msm_config_take(config, '}')) return config->is_wrong = msm_config_peek(config) != 0, false;
  config->has_begun = true;
  if (msm_config_peek(config) != '"') return !(config->is_wrong = true);
  config->key = msm_config_token(config);
  if (!msm_config_take(config, ':')) return !(config->is_wrong = true);
  msm_config_peek(config);
  config->value = msm_config_token(config);
  return !config->is_wrong;
}

// The value as a whole number below 2^32; marks the configuration as wrong where it is none.
static inline uint32_t msm_config_number(msm_config *config) {
  uint64_t number = 0;
  for (size_t i = 0; i < config->value.size; i++) {
    const char c = config->value.at[i];
    number = number * 10 + (uint64_t)(c - '0');
    if (c < '0' || c > '9' || number > UINT32_MAX) config->is_wrong = true;
    if (config->is_wrong) return 0;
  }
  return (uint32_t)number;
}

#endif
