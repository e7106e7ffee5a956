// The receiving end of the benchmark: one epoll thread that costs about 7 µs of CPU a request, so
// that what is measured is the sender. It counts UNIQUE webhook ids, because a retried delivery
// must not look like two events, and notes the arrival of the first and of the last new id.
//
//   POST /failing* 503; not counted
//   POST /silent*  never answered; not counted
//   POST *        204; counted by its path and its `webhook-id` header
//   GET /stats    the counters, as JSON
//   GET /latency  percentiles of (arrival − `sent_at_us` in the body), same monotonic clock
//   GET /reset    forget everything
//
// Prints {"port":N} and lives until its standard input closes, so it never outlives the harness.
// receiver.ts is the same program without a compiler; receiver.test.ts holds them to one answer.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
  CONNECTIONS_MAX = 4096,           // also the highest file descriptor served
  REQUEST_BYTES_MAX = 128 * 1024,   // head and body; more is refused and counted as malformed
  STAMP_SEARCH_BYTES = 512,         // the stamp stands near the beginning of the body
  UNIQUE_MAX = 3 * 1000 * 1000,     // ids remembered; reaching it shows as `overflowed`
  SLOTS = 1 << 22,                  // power of two, so at most 72 % full
  LATENCIES_MAX = 1000 * 1000,
};

struct connection {
  size_t length;
  char bytes[REQUEST_BYTES_MAX];
};

static struct connection *connections[CONNECTIONS_MAX];
static uint64_t *slots;  // 64-bit hashes: among 3 million ids a clash has odds of 1 to 4 million
static uint32_t *latencies;
static size_t requests, unique_ids, without_id, malformed, latency_count;
static int64_t first_at_us, last_at_us;
static bool overflowed;

static void die(const char *what) {
  perror(what);
  exit(1);
}

static int64_t now_us(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void reset(void) {
  free(slots);
  slots = calloc(SLOTS, sizeof *slots);
  if (!slots) die("calloc");
  requests = unique_ids = without_id = malformed = latency_count = 0;
  first_at_us = last_at_us = 0;
  overflowed = false;
}

struct head {
  size_t body_length;
  const char *path, *id;
  size_t path_length, id_length;
  bool understood;
};

static uint64_t hashed(uint64_t hash, const char *bytes, size_t length) {
  for (size_t i = 0; i < length; i++) hash = (hash ^ (uint8_t)bytes[i]) * 1099511628211u;
  return hash;
}

// True when the id was not seen before on this path, which tells the endpoints of one event apart.
// FNV-1a with a final mix; 0 marks an empty slot.
static bool remember(const struct head *h) {
  uint64_t hash = hashed(14695981039346656037u, h->path, h->path_length);
  hash = hashed(hash, h->id, h->id_length);
  hash ^= hash >> 29;
  if (hash == 0) hash = 1;
  size_t slot = hash & (SLOTS - 1);
  while (slots[slot] != 0) {
    if (slots[slot] == hash) return false;
    slot = (slot + 1) & (SLOTS - 1);
  }
  if (unique_ids == UNIQUE_MAX) {
    overflowed = true;
    return false;
  }
  slots[slot] = hash;
  return true;
}

static void note_latency(const char *body, size_t length, int64_t at_us) {
  static const char field[] = "\"sent_at_us\":\"";
  if (latency_count == LATENCIES_MAX) return;
  size_t searched = length < STAMP_SEARCH_BYTES ? length : STAMP_SEARCH_BYTES;
  const char *found = memmem(body, searched, field, sizeof field - 1);
  if (!found) return;
  int64_t sent_at_us = 0;
  int digits = 0;
  const char *end = body + length;
  for (const char *p = found + sizeof field - 1; p < end && *p >= '0' && *p <= '9'; p++) {
    sent_at_us = sent_at_us * 10 + (*p - '0');
    digits++;
  }
  if (digits < 8 || at_us < sent_at_us) return;
  latencies[latency_count++] = (uint32_t)(at_us - sent_at_us);
}

static void count_delivery(const struct head *h, const char *body, int64_t at_us) {
  requests++;
  if (h->id_length == 0) {
    without_id++;
    return;
  }
  if (!remember(h)) return;
  if (unique_ids++ == 0) first_at_us = at_us;
  last_at_us = at_us;
  note_latency(body, h->body_length, at_us);
}

static int compare_u32(const void *a, const void *b) {
  uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;
  return (left > right) - (left < right);
}

// Nearest rank, as percentile() in figures.ts.
static uint32_t percentile(double share) {
  if (latency_count == 0) return 0;
  double exact = share * (double)latency_count;
  size_t rank = (size_t)exact;
  if ((double)rank < exact) rank++;
  return latencies[rank == 0 ? 0 : rank - 1];
}

static int answer_get(const char *path, char *out, size_t out_max) {
  char json[512];
  if (strncmp(path, "/stats ", 7) == 0) {
    snprintf(json, sizeof json,
             "{\"requests\":%zu,\"unique\":%zu,\"withoutId\":%zu,\"malformed\":%zu,"
             "\"overflowed\":%s,\"firstAtUs\":%lld,\"lastAtUs\":%lld}",
             requests, unique_ids, without_id, malformed, overflowed ? "true" : "false",
             (long long)first_at_us, (long long)last_at_us);
  } else if (strncmp(path, "/latency ", 9) == 0) {
    qsort(latencies, latency_count, sizeof *latencies, compare_u32);
    snprintf(json, sizeof json, "{\"count\":%zu,\"p50Us\":%u,\"p99Us\":%u,\"maxUs\":%u}",
             latency_count, percentile(0.5), percentile(0.99), percentile(1));
  } else if (strncmp(path, "/reset ", 7) == 0) {
    reset();
    snprintf(json, sizeof json, "{}");
  } else {
    return snprintf(out, out_max, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
  }
  return snprintf(out, out_max,
                  "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                  "Content-Length: %zu\r\n\r\n%s",
                  strlen(json), json);
}

static bool named(const char *line, const char *colon, const char *name) {
  size_t length = strlen(name);
  return (size_t)(colon - line) == length && strncasecmp(line, name, length) == 0;
}

static struct head read_head(const char *head, const char *end) {
  struct head result = {.understood = true};
  const char *line = memchr(head, '\n', (size_t)(end - head));
  result.path = memchr(head, ' ', (size_t)(end - head));
  if (result.path) result.path_length = strcspn(++result.path, " \r\n");
  while (line && ++line < end) {
    const char *next = memchr(line, '\n', (size_t)(end - line));
    const char *colon = memchr(line, ':', (size_t)((next ? next : end) - line));
    if (colon) {
      const char *value = colon + 1;
      const char *value_end = next ? next : end;
      while (value < value_end && *value == ' ') value++;
      while (value_end > value && strchr(" \r\n", value_end[-1])) value_end--;
      if (named(line, colon, "content-length")) {
        result.body_length = (size_t)strtoul(value, NULL, 10);
      } else if (named(line, colon, "webhook-id")) {
        result.id = value;
        result.id_length = (size_t)(value_end - value);
      } else if (named(line, colon, "transfer-encoding")) {
        result.understood = false;
      }
    }
    line = next;
  }
  return result;
}

static bool is_below(const struct head *h, const char *prefix) {
  size_t length = strlen(prefix);
  return h->path_length >= length && memcmp(h->path, prefix, length) == 0;
}

static void drop(int fd) {
  close(fd);
  free(connections[fd]);
  connections[fd] = NULL;
}

// Answers every whole request in the buffer; false when the connection is to be dropped.
static bool serve(int fd, struct connection *c, int64_t at_us) {
  static const char ok[] = "HTTP/1.1 204 No Content\r\n\r\n";
  static const char failed[] = "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n";
  char out[4096];
  size_t out_length = 0, start = 0;
  bool keep = true;
  for (;;) {
    if (out_length + 1024 > sizeof out) {
      if (write(fd, out, out_length) != (ssize_t)out_length) return false;
      out_length = 0;
    }
    const char *head = c->bytes + start;
    size_t available = c->length - start;
    const char *head_end = memmem(head, available, "\r\n\r\n", 4);
    if (!head_end) {
      keep = available < REQUEST_BYTES_MAX;
      break;
    }
    struct head h = read_head(head, head_end);
    size_t head_length = (size_t)(head_end - head) + 4;
    keep = h.understood && h.body_length <= REQUEST_BYTES_MAX - head_length;
    if (!keep) break;
    if (available < head_length + h.body_length) break;
    if (strncmp(head, "GET ", 4) == 0) {
      out_length += (size_t)answer_get(head + 4, out + out_length, sizeof out - out_length);
    } else if (is_below(&h, "/failing")) {
      memcpy(out + out_length, failed, sizeof failed - 1);
      out_length += sizeof failed - 1;
    } else if (!is_below(&h, "/silent")) {
      count_delivery(&h, head + head_length, at_us);
      memcpy(out + out_length, ok, sizeof ok - 1);
      out_length += sizeof ok - 1;
    }
    start += head_length + h.body_length;
  }
  memmove(c->bytes, c->bytes + start, c->length - start);
  c->length -= start;
  if (!keep) malformed++;
  // The answers are tiny: a full socket buffer means a peer that does not read.
  if (out_length > 0 && write(fd, out, out_length) != (ssize_t)out_length) return false;
  return keep;
}

static void accept_all(int epoll, int listener) {
  for (;;) {
    int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
    if (fd < 0) return;
    if (fd >= CONNECTIONS_MAX) {
      close(fd);
      continue;
    }
    int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    connections[fd] = malloc(sizeof **connections);
    if (!connections[fd]) die("malloc");
    connections[fd]->length = 0;
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) < 0) die("epoll_ctl");
  }
}

static int listen_on_loopback(void) {
  int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  struct sockaddr_in address = {.sin_family = AF_INET,
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t length = sizeof address;
  if (bind(listener, (struct sockaddr *)&address, length) < 0) die("bind");
  if (listen(listener, 1024) < 0) die("listen");
  getsockname(listener, (struct sockaddr *)&address, &length);
  printf("{\"port\":%d}\n", ntohs(address.sin_port));
  fflush(stdout);
  return listener;
}

int main(void) {
  latencies = calloc(LATENCIES_MAX, sizeof *latencies);
  if (!latencies) die("calloc");
  reset();
  int listener = listen_on_loopback();
  int epoll = epoll_create1(0);
  struct epoll_event event = {.events = EPOLLIN, .data.fd = listener};
  epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event);
  event.data.fd = STDIN_FILENO;
  epoll_ctl(epoll, EPOLL_CTL_ADD, STDIN_FILENO, &event);

  struct epoll_event ready[256];
  for (;;) {
    int count = epoll_wait(epoll, ready, 256, -1);
    if (count < 0 && errno != EINTR) die("epoll_wait");
    int64_t at_us = now_us();
    for (int i = 0; i < count; i++) {
      int fd = ready[i].data.fd;
      char ignored[64];
      if (fd == listener) {
        accept_all(epoll, listener);
      } else if (fd == STDIN_FILENO) {
        if (read(fd, ignored, sizeof ignored) <= 0) return 0;
      } else {
        struct connection *c = connections[fd];
        ssize_t got = read(fd, c->bytes + c->length, REQUEST_BYTES_MAX - c->length);
        if (got < 0 && errno == EAGAIN) continue;
        if (got <= 0) {
          drop(fd);
          continue;
        }
        c->length += (size_t)got;
        if (!serve(fd, c, at_us)) drop(fd);
      }
    }
  }
}
