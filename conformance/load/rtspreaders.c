// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
//
// Readers of one RTSP stream that count and throw away: rtspreaders PORT PATH READERS udp|tcp|setup SECONDS
// Each has a connection to 127.0.0.1:PORT, asks OPTIONS, DESCRIBE, SETUP of the first track, PLAY, and reads for SECONDS
// after the last has joined; those who have joined read on while others wait for answers. With "setup" nobody plays.
// Prints "joined N p50 MS p95 MS requests N seconds S" once all have joined, then "received N lost N silent N"; a reader's
// time is that from connect to its last answer. Exit code 1, with the reason, where a reader is refused.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { BUFFER = 65536, MOST = 4096, BATCH = 64, PACKET = 2048 };

struct reader {
  int tcp, rtp, rtcp;
  int has_first, last; // The RTP sequence number that came last.
  long received, lost;
  unsigned char buffer[BUFFER];
  int used;
};

static struct reader *readers;
static long requests;
static int epoll, is_tcp;

static double now_ms(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1e3 + t.tv_nsec / 1e6;
}

static void fail(const char *what, const char *text) {
  fprintf(stderr, "%s: %.300s\n", what, text);
  exit(1);
}

static int compare(const void *a, const void *b) {
  double d = *(const double *)a - *(const double *)b;
  return (d > 0) - (d < 0);
}

static void count(struct reader *r, const unsigned char *packet, int length) {
  if (length < 12) return;
  int sequence = packet[2] << 8 | packet[3];
  if (r->has_first) {
    int ahead = (sequence - r->last) & 0xffff;
    if (ahead == 0 || ahead > 0x8000) {
      if (ahead != 0) r->lost--; // It was only late.
      r->received++;
      return;
    }
    r->lost += ahead - 1;
  }
  r->has_first = 1;
  r->last = sequence;
  r->received++;
}

// Takes the `$` frames from the front of the buffer; returns 0 where something else stands there.
static int take_frames(struct reader *r) {
  int at = 0;
  while (r->used - at >= 4 && r->buffer[at] == '$') {
    int length = r->buffer[at + 2] << 8 | r->buffer[at + 3];
    if (r->used - at < 4 + length) break;
    if (r->buffer[at + 1] == 0) count(r, r->buffer + at + 4, length);
    at += 4 + length;
  }
  memmove(r->buffer, r->buffer + at, r->used -= at);
  return r->used == 0 || r->buffer[0] == '$';
}

static int take_media(int most, int timeout);

// Whoever waits for an answer reads for the others meanwhile: their buffers are as large as the system allows, and no larger.
static void await_answer(struct reader *r) {
  struct pollfd answer = {r->tcp, POLLIN, 0};
  while (poll(&answer, 1, 0) == 0) take_media(16, -1);
}

static void fill(struct reader *r) {
  ssize_t n = read(r->tcp, r->buffer + r->used, BUFFER - 1 - r->used);
  if (n <= 0) fail("the connection ended", "");
  r->used += n;
}

// Sends a request and puts its answer, head and body, into `answer`.
static void ask(struct reader *r, char *answer, const char *request) {
  if (write(r->tcp, request, strlen(request)) < 0) fail("write", request);
  requests++;
  for (;;) {
    if (!take_frames(r)) {
      r->buffer[r->used] = 0;
      char *end = strstr((char *)r->buffer, "\r\n\r\n");
      if (end) {
        char *field = strcasestr((char *)r->buffer, "\r\nContent-Length:");
        int length = end + 4 - (char *)r->buffer;
        if (field && field < end) length += atoi(field + 17);
        if (r->used >= length) {
          memcpy(answer, r->buffer, length);
          answer[length] = 0;
          memmove(r->buffer, r->buffer + length, r->used -= length);
          if (strncmp(answer, "RTSP/1.0 200", 12)) fail(request, answer);
          return;
        }
      }
    }
    await_answer(r);
    fill(r);
  }
}

static int bound(int port) {
  int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0), size = 4 << 20;
  setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
  struct sockaddr_in at = {AF_INET, htons(port), {htonl(INADDR_LOOPBACK)}};
  if (bind(fd, (struct sockaddr *)&at, sizeof at) == 0) return fd;
  close(fd);
  return -1;
}

// Binds an even port and the next; both are held so that no ICMP disturbs who sends.
static int bind_pair(struct reader *r) {
  static int next = 40000;
  for (;; next += 2) {
    if (next > 65000) fail("no ports", "");
    if ((r->rtp = bound(next)) < 0) continue;
    if ((r->rtcp = bound(next + 1)) >= 0) break;
    close(r->rtp);
  }
  next += 2;
  return next - 2;
}

static void track_url(char *url, const char *describe, const char *stream) {
  const char *media = strstr(describe, "\nm="), *control = media ? strstr(media, "a=control:") : 0;
  if (!control) fail("no track", describe);
  char name[512] = "";
  sscanf(control + 10, "%511[^\r\n]", name);
  if (!strncmp(name, "rtsp:", 5)) strcpy(url, name);
  else sprintf(url, "%s/%s", stream, name);
}

static void watch(int how, int fd, struct reader *r) {
  struct epoll_event event = {EPOLLIN, {.ptr = r}};
  epoll_ctl(epoll, how, fd, &event);
}

static double join(struct reader *r, int port, const char *path, int plays) {
  static char answer[2 * BUFFER], request[2048], stream[512], track[1024];
  double started = now_ms();
  int on = 1;
  struct sockaddr_in at = {AF_INET, htons(port), {htonl(INADDR_LOOPBACK)}};
  r->tcp = socket(AF_INET, SOCK_STREAM, 0);
  setsockopt(r->tcp, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (connect(r->tcp, (struct sockaddr *)&at, sizeof at)) fail("connect", path);
  watch(EPOLL_CTL_ADD, r->tcp, 0);
  sprintf(stream, "rtsp://127.0.0.1:%d/%s", port, path);
  sprintf(request, "OPTIONS %s RTSP/1.0\r\nCSeq: 1\r\n\r\n", stream);
  ask(r, answer, request);
  sprintf(request, "DESCRIBE %s RTSP/1.0\r\nCSeq: 2\r\nAccept: application/sdp\r\n\r\n", stream);
  ask(r, answer, request);
  track_url(track, answer, stream);
  char transport[128] = "RTP/AVP/TCP;unicast;interleaved=0-1";
  if (!is_tcp) {
    int first = bind_pair(r);
    sprintf(transport, "RTP/AVP;unicast;client_port=%d-%d", first, first + 1);
  }
  sprintf(request, "SETUP %s RTSP/1.0\r\nCSeq: 3\r\nTransport: %s\r\n\r\n", track, transport);
  ask(r, answer, request);
  char *field = strcasestr(answer, "\r\nSession:"), session[256] = "";
  if (!field || sscanf(field + 10, " %255[^;\r\n]", session) != 1) fail("no session", answer);
  if (!plays) return now_ms() - started;
  sprintf(request, "PLAY %s RTSP/1.0\r\nCSeq: 4\r\nSession: %s\r\nRange: npt=0.000-\r\n\r\n", stream, session);
  ask(r, answer, request);
  return now_ms() - started;
}

static void read_udp(struct reader *r) {
  static unsigned char packets[BATCH][PACKET];
  struct mmsghdr messages[BATCH];
  struct iovec parts[BATCH];
  for (int i = 0; i < BATCH; i++) {
    parts[i] = (struct iovec){packets[i], PACKET};
    messages[i] = (struct mmsghdr){{.msg_iov = &parts[i], .msg_iovlen = 1}, 0};
  }
  int n = recvmmsg(r->rtp, messages, BATCH, MSG_DONTWAIT, 0);
  for (int i = 0; i < n; i++) count(r, packets[i], messages[i].msg_len);
}

// Reads what has come for at most so many readers who have joined; returns how many there were.
static int take_media(int most, int timeout) {
  struct epoll_event events[256];
  int n = epoll_wait(epoll, events, most, timeout);
  for (int i = 0; i < n; i++) {
    struct reader *r = events[i].data.ptr;
    if (!r) continue; // An answer.
    if (!is_tcp) read_udp(r);
    else {
      fill(r);
      take_frames(r);
    }
  }
  return n;
}

static void serve(double until) {
  while (now_ms() < until) take_media(256, 20);
}

int main(int argc, char **argv) {
  if (argc != 6) fail("rtspreaders PORT PATH READERS udp|tcp|setup SECONDS", "");
  int total = atoi(argv[3]), plays = strcmp(argv[4], "setup");
  is_tcp = strcmp(argv[4], "udp");
  epoll = epoll_create1(0);
  double started = now_ms();
  if (total < 1 || total > MOST) fail("too many readers", argv[3]);
  readers = calloc(total, sizeof *readers);
  double *times = calloc(total, sizeof *times);
  for (int i = 0; i < total; i++) {
    struct reader *r = &readers[i];
    times[i] = join(r, atoi(argv[1]), argv[2], plays);
    watch(EPOLL_CTL_DEL, r->tcp, 0);
    watch(EPOLL_CTL_ADD, is_tcp ? r->tcp : r->rtp, r);
    if (plays) serve(now_ms() + 1);
  }
  double seconds = (now_ms() - started) / 1e3;
  qsort(times, total, sizeof *times, compare);
  printf("joined %d p50 %.2f p95 %.2f requests %ld seconds %.3f\n", total, times[total / 2], times[total * 95 / 100],
         requests, seconds);
  fflush(stdout);
  serve(now_ms() + 1e3 * atof(argv[5]));
  long received = 0, lost = 0, silent = 0;
  for (int i = 0; i < total; i++) {
    received += readers[i].received;
    lost += readers[i].lost;
    silent += readers[i].received == 0;
  }
  printf("received %ld lost %ld silent %ld\n", received, lost, silent);
  return 0;
}
