// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

//! Filters of the Media Streaming Mesh in Rust: the structs and host calls of ABI.md. Implement [`Filter`] and name it in
//! [`register!`]. Memory is never given back to the host; allocate where the filter is configured, not for a datagram.
//! Filters that see connections, not batches, are written with the crate `proxy-wasm` and run as they are.

/// What becomes of a datagram.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Action {
    Continue = 0,
    Pause = 1,
    Drop = 2,
    Consume = 3,
    Reply = 4,
}

/// Bits of [`Datagram::flags`].
pub const UPSTREAM_DIRECTION: u16 = 0x1;
pub const DIRTY: u16 = 0x100;
pub const RETARGET: u16 = 0x200;
pub const TX_TIME: u16 = 0x400;
pub const SET_KEY: u16 = 0x800;

/// Bits of [`PluginInfo::stages`]: before a session is looked for, and behind the fan-out of a flow.
pub const STAGE_LISTENER: u32 = 1;
pub const STAGE_SESSION: u32 = 2;
pub const STAGE_EGRESS: u32 = 4;

/// At stage LISTENER: where a datagram comes from and where it was sent to, `msm_addrs`.
#[repr(C)]
pub struct Addresses {
    pub family: u8,
    pad: u8,
    pub sport: u16,
    pub dport: u16,
    pad2: u16,
    pub src: [u8; 16],
    pub dst: [u8; 16],
}

/// One datagram of a batch: `msm_dgram`.
#[repr(C)]
pub struct Datagram {
    data: *mut u8,
    len: u16,
    avail: u16,
    pub session: u32,
    pub flags: u16,
    pub tos: u8,
    pub ttl: u8,
    pub rx_ns: u64,
    action: u8,
    reason: u8,
    after: u16,
    target: u32,
    tx_ns: u64,
    pub mark: u32,
    addrs: *const Addresses,
    pub user: u64,
    rsv: u64,
}

impl Datagram {
    /// Length on the wire, in bytes.
    pub fn len(&self) -> usize {
        self.len as usize
    }

    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The bytes that are present: all of them, or as many as the filter's window has.
    pub fn payload(&self) -> &[u8] {
        // The host gives an address and a length inside of this module's memory.
        unsafe { std::slice::from_raw_parts(self.data, self.avail.min(self.len) as usize) }
    }

    /// The same, to be written to: the host takes it back.
    pub fn payload_mut(&mut self) -> &mut [u8] {
        self.flags |= DIRTY;
        unsafe { std::slice::from_raw_parts_mut(self.data, self.avail.min(self.len) as usize) }
    }

    /// Whether it goes from the endpoint to the client.
    pub fn is_to_client(&self) -> bool {
        self.flags & UPSTREAM_DIRECTION != 0
    }

    /// Drops it for a reason that [`name_reason`] named.
    pub fn drop(&mut self, reason: u8) {
        self.action = Action::Drop as u8;
        self.reason = reason;
    }

    pub fn set_action(&mut self, action: Action) {
        self.action = action as u8;
    }

    /// Where it comes from; only at stage LISTENER.
    pub fn addresses(&self) -> Option<&Addresses> {
        unsafe { self.addrs.as_ref() }
    }

    /// Sends it to a target of [`resolve_target`] instead of where its session goes.
    pub fn retarget(&mut self, target: u32) {
        self.target = target;
        self.flags |= RETARGET;
    }

    /// At stage LISTENER: says which session it is of.
    pub fn set_key(&mut self, key: u64) {
        self.user = key;
        self.flags |= SET_KEY;
    }

    /// Keeps it from leaving before a time on the clock of [`Batch::now_ns`].
    pub fn send_at(&mut self, ns: u64) {
        self.tx_ns = ns;
        self.flags |= TX_TIME;
    }
}

/// The datagrams of one call: `msm_batch`.
#[repr(C)]
pub struct Batch {
    struct_size: u32,
    desc_size: u32,
    count: u32,
    capacity: u32,
    descs: *mut Datagram,
    slots: *mut u8,
    slot_size: u32,
    headroom: u32,
    pub now_ns: u64,
    pub wall_ns: u64,
    emitted: u32,
    flags: u32,
    order: u32,
    order_len: u32,
}

impl Batch {
    /// The datagrams to look at.
    pub fn datagrams(&mut self) -> &mut [Datagram] {
        unsafe { std::slice::from_raw_parts_mut(self.descs, self.count as usize) }
    }

    /// Says that nothing was changed, so that the host reads nothing back.
    pub fn mark_unchanged(&mut self) {
        self.flags = 1;
    }

    /// Adds a datagram to a session. False where there is no room or the payload is too long.
    pub fn add(&mut self, session: u32, to_client: bool, payload: &[u8]) -> bool {
        let room = self.slot_size.saturating_sub(self.headroom + 3) as usize;
        if self.count + self.emitted >= self.capacity || payload.len() > room {
            return false;
        }
        let added = unsafe { &mut *self.descs.add((self.count + self.emitted) as usize) };
        unsafe { std::ptr::copy_nonoverlapping(payload.as_ptr(), added.data, payload.len()) };
        added.len = payload.len() as u16;
        added.avail = added.len;
        added.session = session;
        added.flags = if to_client { UPSTREAM_DIRECTION } else { 0 };
        self.emitted += 1;
        true
    }
}

/// What a filter asks for: `msm_plugin_info`. Fields that stay 0 mean the host's default.
#[repr(C)]
pub struct PluginInfo {
    struct_size: u32,
    pub stages: u32,
    pub window: u32,
    pub max_batch: u32,
    pub emit_capacity: u32,
    pub headroom: u32,
    pub slot_size: u32,
    pub drain_ms: u32,
}

/// A filter. Its methods are called by the host, one at a time.
pub trait Filter {
    /// Reads the configuration; an error refuses it and is logged.
    fn configure(&mut self, _configuration: &[u8]) -> Result<(), String> {
        Ok(())
    }

    fn describe(&self, _info: &mut PluginInfo) {}

    fn on_datagrams(&mut self, batch: &mut Batch);

    fn on_session(&mut self, _session: u32) {}

    fn on_session_closed(&mut self, _session: u32) {}

    fn on_timer(&mut self, _context: u32, _timer: u32, _batch: &mut Batch) {}

    fn on_tick(&mut self) {}
}

mod host {
    #[link(wasm_import_module = "env")]
    extern "C" {
        pub fn proxy_log(level: i32, text: *const u8, size: usize) -> i32;
        pub fn proxy_set_tick_period_milliseconds(period: u32) -> i32;
        pub fn proxy_get_buffer_bytes(kind: i32, start: u32, size: u32, out: *mut *mut u8, out_size: *mut usize) -> i32;
        pub fn proxy_get_property(path: *const u8, size: usize, out: *mut *mut u8, out_size: *mut usize) -> i32;
        pub fn msm_resolve_target(kind: i32, name: *const u8, size: usize, target: *mut u32) -> i32;
        pub fn msm_open_sink(name: *const u8, size: usize, header: *const u8, header_size: usize, sink: *mut u32) -> i32;
        pub fn msm_write_sink(sink: u32, record: *const u8, size: usize) -> i32;
        pub fn proxy_define_metric(kind: i32, name: *const u8, size: usize, id: *mut u32) -> i32;
        pub fn proxy_increment_metric(id: u32, delta: i64) -> i32;
        pub fn proxy_record_metric(id: u32, value: u64) -> i32;
        pub fn msm_define_reason(code: u32, name: *const u8, size: usize) -> i32;
        pub fn msm_set_timer(context: u32, id: u32, delay_us: i64, period_us: i64) -> i32;
    }
}

/// Writes a line to the proxy's log, limited in rate by the host; `level` is 2 for information to 5 for critical.
pub fn log(level: i32, text: &str) {
    unsafe { host::proxy_log(level, text.as_ptr(), text.len()) };
}

/// Names drop reason `code`, 1 to 127.
pub fn name_reason(code: u8, name: &str) {
    unsafe { host::msm_define_reason(code as u32, name.as_ptr(), name.len()) };
}

/// Has [`Filter::on_tick`] called every so many milliseconds.
pub fn set_tick_period(ms: u32) {
    unsafe { host::proxy_set_tick_period_milliseconds(ms) };
}

/// Has [`Filter::on_timer`] called for the plugin (context 1) or a session. A delay below 0 cancels the timer.
pub fn set_timer(context: u32, id: u32, delay_us: i64, period_us: i64) -> bool {
    unsafe { host::msm_set_timer(context, id, delay_us, period_us) == 0 }
}

/// The number of a target: kind 1 is a cluster, 2 an endpoint `ip:port` of the session's cluster.
pub fn resolve_target(kind: i32, name: &str) -> Option<u32> {
    let mut target = 0;
    let status = unsafe { host::msm_resolve_target(kind, name.as_ptr(), name.len(), &mut target) };
    if status == 0 { Some(target) } else { None }
}

/// A property in the context of the call that runs, e.g. `source.address` in [`Filter::on_session`].
pub fn property(path: &str) -> Option<Vec<u8>> {
    let (mut at, mut size) = (std::ptr::null_mut(), 0);
    let status = unsafe { host::proxy_get_property(path.as_ptr(), path.len(), &mut at, &mut size) };
    if status == 0 { Some(take(at, size)) } else { None }
}

/// A metric, whose name may carry labels: `seen{kind="audio"}`.
#[derive(Clone, Copy)]
pub struct Metric(u32);

impl Metric {
    pub fn counter(name: &str) -> Metric {
        Metric::define(0, name)
    }

    pub fn gauge(name: &str) -> Metric {
        Metric::define(1, name)
    }

    pub fn histogram(name: &str) -> Metric {
        Metric::define(2, name)
    }

    pub fn add(self, delta: i64) {
        unsafe { host::proxy_increment_metric(self.0, delta) };
    }

    pub fn record(self, value: u64) {
        unsafe { host::proxy_record_metric(self.0, value) };
    }

    fn define(kind: i32, name: &str) -> Metric {
        let mut id = 0;
        let status = unsafe { host::proxy_define_metric(kind, name.as_ptr(), name.len(), &mut id) };
        assert!(status == 0);
        Metric(id)
    }
}

/// The fields of a JSON object of numbers, texts without escapes, true and false; an error where it is something else.
pub fn fields(configuration: &[u8]) -> Result<Vec<(String, String)>, String> {
    let text = std::str::from_utf8(configuration).map_err(|_| "the configuration is no text")?.trim();
    if text.is_empty() {
        return Ok(Vec::new());
    }
    let inner = text.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')).ok_or("expected an object")?;
    if inner.trim().is_empty() {
        return Ok(Vec::new());
    }
    inner.split(',').map(field).collect()
}

fn field(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once(':').ok_or("expected a field and its value")?;
    let key = key.trim().strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).ok_or("expected a field's name")?;
    let value = value.trim();
    if value.is_empty() || value.contains(|c| matches!(c, '{' | '[' | '\\')) {
        return Err(format!("the value of {} is not understood", key));
    }
    Ok((key.to_string(), value.trim_matches('"').to_string()))
}

/// What [`register!`] makes the module's exports of.
pub mod exports {
    use super::{host, log, take, Batch, Filter, PluginInfo};

    const PLUGIN_CONFIGURATION: i32 = 7;
    const ERROR: i32 = 4;
    const PLUGIN_CONTEXT: u32 = 1;

    pub fn configure<F: Filter>(filter: &mut F) -> u32 {
        let (mut at, mut size) = (std::ptr::null_mut(), 0);
        unsafe { host::proxy_get_buffer_bytes(PLUGIN_CONFIGURATION, 0, u32::MAX, &mut at, &mut size) };
        match filter.configure(&take(at, size)) {
            Ok(()) => 1,
            Err(problem) => {
                log(ERROR, &problem);
                0
            }
        }
    }

    pub fn describe<F: Filter>(filter: &F, out: *mut PluginInfo) -> i32 {
        filter.describe(unsafe { &mut *out });
        0
    }

    pub fn on_datagrams<F: Filter>(filter: &mut F, batch: *mut Batch) -> i32 {
        filter.on_datagrams(unsafe { &mut *batch });
        0
    }

    pub fn on_timer<F: Filter>(filter: &mut F, context: u32, timer: u32, batch: *mut Batch) {
        filter.on_timer(context, timer, unsafe { &mut *batch });
    }

    pub fn on_delete<F: Filter>(filter: &mut F, context: u32) {
        if context != PLUGIN_CONTEXT {
            filter.on_session_closed(context);
        }
    }

    /// Memory for what the host hands over; `take` gives it back to the allocator.
    pub fn allocate(size: usize) -> *mut u8 {
        let mut room = std::mem::ManuallyDrop::new(Vec::<u8>::with_capacity(size.max(1)));
        room.as_mut_ptr()
    }
}

/// What the host put into memory that it had allocated.
fn take(at: *mut u8, size: usize) -> Vec<u8> {
    if at.is_null() {
        return Vec::new();
    }
    unsafe { Vec::from_raw_parts(at, size, size.max(1)) }
}

/// Makes a filter of an expression: `register!(DropSmall, DropSmall::default());`
#[macro_export]
macro_rules! register {
    ($type:ty, $filter:expr) => {
        // One thread runs a module, and one call at a time.
        static mut FILTER: Option<$type> = None;

        fn filter() -> &'static mut $type {
            unsafe { FILTER.get_or_insert_with(|| $filter) }
        }

        #[no_mangle]
        pub extern "C" fn proxy_abi_version_0_2_1() {}

        #[no_mangle]
        pub extern "C" fn msm_abi_version_0_1_0() {}

        #[no_mangle]
        pub extern "C" fn proxy_on_memory_allocate(size: usize) -> *mut u8 {
            $crate::exports::allocate(size)
        }

        #[no_mangle]
        pub extern "C" fn proxy_on_configure(_context: u32, _size: u32) -> u32 {
            $crate::exports::configure(filter())
        }

        #[no_mangle]
        pub extern "C" fn msm_describe(out: *mut $crate::PluginInfo, _size: u32) -> i32 {
            $crate::exports::describe(filter(), out)
        }

        #[no_mangle]
        pub extern "C" fn msm_on_datagrams(_context: u32, batch: *mut $crate::Batch) -> i32 {
            $crate::exports::on_datagrams(filter(), batch)
        }

        #[no_mangle]
        pub extern "C" fn msm_on_timer(context: u32, timer: u32, batch: *mut $crate::Batch) {
            $crate::exports::on_timer(filter(), context, timer, batch)
        }

        #[no_mangle]
        pub extern "C" fn proxy_on_new_connection(context: u32) -> i32 {
            $crate::Filter::on_session(filter(), context);
            0
        }

        #[no_mangle]
        pub extern "C" fn proxy_on_delete(context: u32) {
            $crate::exports::on_delete(filter(), context)
        }

        #[no_mangle]
        pub extern "C" fn proxy_on_tick(_context: u32) {
            $crate::Filter::on_tick(filter())
        }
    };
}
