// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

// A network filter as a user of the crate proxy-wasm writes it for Envoy: "ping" at the begin of what a client sends
// becomes the word of the configuration, what comes back begins with a star, "drop" is dropped, and all is counted.
use log::info;
use proxy_wasm::hostcalls;
use proxy_wasm::traits::{Context, RootContext, StreamContext};
use proxy_wasm::types::{Action, ContextType, LogLevel, MetricType, PeerType};

#[no_mangle]
pub extern "C" fn _initialize() {
    proxy_wasm::set_log_level(LogLevel::Info);
    proxy_wasm::set_root_context(|_| -> Box<dyn RootContext> { Box::new(PingRoot::default()) });
}

#[derive(Default)]
struct PingRoot {
    word: Vec<u8>,
    chunks: u32,
    closes: u32,
}

impl Context for PingRoot {}

impl RootContext for PingRoot {
    fn on_configure(&mut self, _size: usize) -> bool {
        self.word = self.get_plugin_configuration().unwrap_or_default();
        self.chunks = hostcalls::define_metric(MetricType::Counter, "sdk_chunks").unwrap();
        self.closes = hostcalls::define_metric(MetricType::Counter, "sdk_closes").unwrap();
        true
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::StreamContext)
    }

    fn create_stream_context(&self, _id: u32) -> Option<Box<dyn StreamContext>> {
        Some(Box::new(Ping { word: self.word.clone(), chunks: self.chunks, closes: self.closes }))
    }
}

struct Ping {
    word: Vec<u8>,
    chunks: u32,
    closes: u32,
}

impl Context for Ping {}

impl StreamContext for Ping {
    fn on_new_connection(&mut self) -> Action {
        let source = self.get_property(vec!["source", "address"]).unwrap_or_default();
        info!("from {}", String::from_utf8_lossy(&source));
        Action::Continue
    }

    fn on_downstream_data(&mut self, size: usize, _end: bool) -> Action {
        let data = self.get_downstream_data(0, size).unwrap_or_default();
        if !data.is_empty() {
            hostcalls::increment_metric(self.chunks, 1).unwrap();
        }
        if data.starts_with(b"ping") {
            self.set_downstream_data(0, 4, &self.word);
        }
        if data.starts_with(b"drop") {
            self.set_downstream_data(0, size, b"");
        }
        Action::Continue
    }

    fn on_downstream_close(&mut self, _peer: PeerType) {
        hostcalls::increment_metric(self.closes, 1).unwrap();
    }

    fn on_upstream_data(&mut self, size: usize, _end: bool) -> Action {
        if size > 0 {
            self.set_upstream_data(0, 1, b"*");
        }
        Action::Continue
    }

    fn on_upstream_close(&mut self, _peer: PeerType) {
        hostcalls::increment_metric(self.closes, 1).unwrap();
    }
}
