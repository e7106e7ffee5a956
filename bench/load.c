// The publishing end of the benchmark: N keep-alive connections, each with one publish in flight,
// from one epoll thread. Bounded by a count AND by a time. Closed loop (--rate 0), or paced: event
// i is due at start + i/rate and is stamped with its due time, so a stall of the server shows in
// the latency of every event that had to wait for it.
//
// Prints one JSON object, then lives until its standard input closes, so that the harness can read
// its CPU time. The key comes from BENCH_KEY, not from the arguments, which every user can list.
// load.ts is the same program without a compiler; load.test.ts holds them to one answer.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

enum {
  CONNECTIONS_MAX = 1024,
  COUNT_MAX = 3 * 1000 * 1000,
  REQUEST_BYTES_MAX = 192 * 1024,
  HEAD_BYTES_MAX = 2 * 1024,
  EVENT_BYTES_MAX = 512,   // of an event, beside its data
  ANSWER_BYTES_MAX = 64 * 1024,
  STAMP_DIGITS = 16,
  STATUS_MAX = 600,
  FAILURES_MAX = 1000,     // answers that never came; beyond this the server is broken
  GRACE_US = 10 * 1000000  // for the last answers, after the count or the time is used up
};

struct connection {
  int fd;
  bool waiting;
  int64_t sent_at_us;
  size_t length;
  char request[REQUEST_BYTES_MAX];
  char answer[ANSWER_BYTES_MAX];
};

static struct {
  int port, connections, count, rate, bytes, batch;
  int64_t time_max_us;
  const char *path, *type, *key;
} options = {.bytes = 1024, .batch = 1, .path = "/", .type = "bench.load", .key = ""};

static struct connection *connections[CONNECTIONS_MAX];
static struct connection *idle[CONNECTIONS_MAX];
static int idle_count, sent, answered, failed;
static int statuses[STATUS_MAX];
static uint32_t *latencies;
static size_t request_length, stamp_offset, event_stride;
static int64_t started_at_us;
static int epoll;

static void die(const char *what) {
  fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
  exit(1);
}

static int64_t now_us(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static int64_t due_at_us(int index) {
  return started_at_us + (int64_t)index * 1000000 / options.rate;
}

static void connect_to_server(struct connection *c) {
  c->fd = socket(AF_INET, SOCK_STREAM, 0);
  struct sockaddr_in address = {.sin_family = AF_INET,
                                .sin_port = htons((uint16_t)options.port),
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  if (connect(c->fd, (struct sockaddr *)&address, sizeof address) < 0) die("connect");
  int on = 1;
  setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  fcntl(c->fd, F_SETFL, O_NONBLOCK);
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
  if (epoll_ctl(epoll, EPOLL_CTL_ADD, c->fd, &event) < 0) die("epoll_ctl");
  c->waiting = false;
  c->length = 0;
  idle[idle_count++] = c;
}

// One event; `data` is exactly --bytes long. Returns where it ends.
static char *append_event(char *to) {
  to += sprintf(to, "{\"type\":\"%s\",\"data\":", options.type);
  int data = sprintf(to, "{\"sent_at_us\":\"%0*d\",\"padding\":\"", STAMP_DIGITS, 0);
  int padding = options.bytes - data - 2;
  if (padding < 0) die("--bytes");
  memset(to + data, 'x', (size_t)padding);
  memcpy(to + data + padding, "\"}}", 4);
  return to + data + padding + 3;
}

// One request, built once; only the digits of the stamps change from publish to publish. With
// --batch above 1 it is a batch of so many events.
static void build_request(char *out) {
  static char body[REQUEST_BYTES_MAX];
  size_t texts = strlen(options.type) + strlen(options.path) + strlen(options.key);
  size_t events = (size_t)options.batch * ((size_t)options.bytes + EVENT_BYTES_MAX);
  if (texts > EVENT_BYTES_MAX - 64 || events + HEAD_BYTES_MAX > sizeof body) die("--bytes");
  char *end = body;
  if (options.batch > 1) end += sprintf(end, "{\"events\":[");
  for (int i = 0; i < options.batch; i++) {
    if (i > 0) *end++ = ',';
    char *start = end;
    end = append_event(start);
    event_stride = (size_t)(end - start) + 1;
  }
  if (options.batch > 1) end += sprintf(end, "]}");
  int length = snprintf(out, REQUEST_BYTES_MAX,
                        "POST %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nAuthorization: Bearer %s\r\n"
                        "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
                        options.path, options.port, options.key, (size_t)(end - body), body);
  if (length >= REQUEST_BYTES_MAX) die("--bytes");
  request_length = (size_t)length;
  stamp_offset = (size_t)(strstr(out, "\"sent_at_us\":\"") - out) + 14;
}

static void write_all(int fd, const char *bytes, size_t length) {
  while (length > 0) {
    ssize_t put = write(fd, bytes, length);
    if (put < 0 && errno == EAGAIN) {
      struct pollfd writable = {.fd = fd, .events = POLLOUT};
      poll(&writable, 1, 1000);
    } else if (put < 0) {
      return;  // the read side sees the broken connection and counts the failure
    } else {
      bytes += put;
      length -= (size_t)put;
    }
  }
}

static void publish(struct connection *c, int64_t at_us) {
  char digits[STAMP_DIGITS + 8];
  snprintf(digits, sizeof digits, "%0*" PRId64, STAMP_DIGITS, at_us);
  for (int i = 0; i < options.batch; i++)
    memcpy(c->request + stamp_offset + (size_t)i * event_stride, digits, STAMP_DIGITS);
  c->sent_at_us = at_us;
  c->waiting = true;
  c->length = 0;
  sent++;
  write_all(c->fd, c->request, request_length);
}

static void publish_what_is_due(void) {
  while (idle_count > 0 && sent < options.count) {
    int64_t now = now_us();
    if (now - started_at_us >= options.time_max_us) return;
    int64_t at_us = options.rate > 0 ? due_at_us(sent) : now;
    if (at_us > now) return;
    publish(idle[--idle_count], at_us);
  }
}

static const char *header(const char *head, const char *head_end, const char *name) {
  size_t length = strlen(name);
  for (const char *line = head; (line = memchr(line, '\n', (size_t)(head_end - line)));) {
    line++;
    if ((size_t)(head_end - line) > length && strncasecmp(line, name, length) == 0)
      return line + length;
  }
  return NULL;
}

// True when the whole answer has arrived; its status then is `*status`.
static bool answer_is_whole(struct connection *c, int *status) {
  char *head_end = memmem(c->answer, c->length, "\r\n\r\n", 4);
  if (!head_end) return false;
  if (header(c->answer, head_end, "transfer-encoding:")) {
    fprintf(stderr, "load: a chunked answer, which this client does not read\n");
    exit(1);
  }
  *status = atoi(c->answer + 9);
  const char *length = header(c->answer, head_end, "content-length:");
  size_t body_length = length ? (size_t)strtoul(length, NULL, 10) : 0;
  return c->length >= (size_t)(head_end - c->answer) + 4 + body_length;
}

static void lose(struct connection *c) {
  close(c->fd);
  if (c->waiting) failed++;
  else
    for (int i = 0; i < idle_count; i++)
      if (idle[i] == c) idle[i--] = idle[--idle_count];
  if (failed > FAILURES_MAX) {
    fprintf(stderr, "load: more than %d publishes without an answer\n", FAILURES_MAX);
    exit(1);
  }
  connect_to_server(c);
}

static void on_readable(struct connection *c) {
  ssize_t got = read(c->fd, c->answer + c->length, ANSWER_BYTES_MAX - c->length);
  if (got < 0 && errno == EAGAIN) return;
  if (got <= 0) {
    lose(c);
    return;
  }
  c->length += (size_t)got;
  int status = 0;
  if (!c->waiting || !answer_is_whole(c, &status)) return;
  latencies[answered++] = (uint32_t)(now_us() - c->sent_at_us);
  statuses[status > 0 && status < STATUS_MAX ? status : 0]++;
  c->waiting = false;
  idle[idle_count++] = c;
}

static int compare_u32(const void *a, const void *b) {
  uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;
  return (left > right) - (left < right);
}

// Nearest rank, as percentile() in figures.ts.
static uint32_t percentile(double share) {
  if (answered == 0) return 0;
  double exact = share * answered;
  int rank = (int)exact;
  if (rank < exact) rank++;
  return latencies[rank == 0 ? 0 : rank - 1];
}

static void report(int64_t elapsed_us) {
  qsort(latencies, (size_t)answered, sizeof *latencies, compare_u32);
  printf("{\"sent\":%d,\"accepted\":%d,\"failed\":%d,\"elapsedUs\":%" PRId64
         ",\"acceptUs\":{\"count\":%d,\"p50Us\":%u,\"p99Us\":%u,\"maxUs\":%u},\"statuses\":{",
         sent, statuses[202] * options.batch, sent - answered, elapsed_us, answered, percentile(0.5),
         percentile(0.99), percentile(1));
  const char *comma = "";
  for (int status = 0; status < STATUS_MAX; status++) {
    if (statuses[status] == 0) continue;
    printf("%s\"%d\":%d", comma, status, statuses[status]);
    comma = ",";
  }
  printf("}}\n");
  fflush(stdout);
}

static void arm(int timer, int64_t at_us) {
  struct itimerspec due = {.it_value = {.tv_sec = at_us / 1000000,
                                        .tv_nsec = (at_us % 1000000) * 1000}};
  timerfd_settime(timer, TFD_TIMER_ABSTIME, &due, NULL);
}

static void run(void) {
  int timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = &timer};
  epoll_ctl(epoll, EPOLL_CTL_ADD, timer, &event);
  struct epoll_event lifeline = {.events = 0, .data.ptr = &options};
  epoll_ctl(epoll, EPOLL_CTL_ADD, STDIN_FILENO, &lifeline);

  struct epoll_event ready[256];
  started_at_us = now_us();
  for (;;) {
    publish_what_is_due();
    int64_t elapsed_us = now_us() - started_at_us;
    bool used_up = sent == options.count || elapsed_us >= options.time_max_us;
    if (used_up && answered + failed == sent) return;
    if (elapsed_us >= options.time_max_us + GRACE_US) return;
    if (options.rate > 0 && !used_up) arm(timer, due_at_us(sent));
    int count = epoll_wait(epoll, ready, 256, 50);
    if (count < 0 && errno != EINTR) die("epoll_wait");
    for (int i = 0; i < count; i++) {
      uint64_t ticks;
      if (ready[i].data.ptr == &options) exit(1);
      if (ready[i].data.ptr == &timer) {
        if (read(timer, &ticks, sizeof ticks) < 0 && errno != EAGAIN) die("timer");
      } else {
        on_readable(ready[i].data.ptr);
      }
    }
  }
}

static void read_options(int argc, char **argv) {
  static const struct option known[] = {
      {"port", 1, 0, 'p'},  {"path", 1, 0, 'u'}, {"type", 1, 0, 't'},
      {"count", 1, 0, 'n'}, {"rate", 1, 0, 'r'}, {"connections", 1, 0, 'c'},
      {"bytes", 1, 0, 'b'}, {"batch", 1, 0, 's'}, {"time-max-ms", 1, 0, 'm'},
      {0, 0, 0, 0}};
  for (int found; (found = getopt_long(argc, argv, "", known, NULL)) != -1;) {
    if (found == 'p') options.port = atoi(optarg);
    else if (found == 'u') options.path = optarg;
    else if (found == 't') options.type = optarg;
    else if (found == 'n') options.count = atoi(optarg);
    else if (found == 'r') options.rate = atoi(optarg);
    else if (found == 'c') options.connections = atoi(optarg);
    else if (found == 'b') options.bytes = atoi(optarg);
    else if (found == 's') options.batch = atoi(optarg);
    else if (found == 'm') options.time_max_us = atoll(optarg) * 1000;
    else exit(2);
  }
  if (getenv("BENCH_KEY")) options.key = getenv("BENCH_KEY");
  errno = EINVAL;
  if (options.port <= 0) die("--port");
  if (options.count <= 0 || options.count > COUNT_MAX) die("--count");
  if (options.connections <= 0 || options.connections > CONNECTIONS_MAX) die("--connections");
  if (options.bytes <= 0) die("--bytes");
  if (options.batch <= 0) die("--batch");
  if (options.time_max_us <= 0) die("--time-max-ms");
}

int main(int argc, char **argv) {
  read_options(argc, argv);
  latencies = calloc((size_t)options.count, sizeof *latencies);
  epoll = epoll_create1(0);
  for (int i = 0; i < options.connections; i++) {
    connections[i] = calloc(1, sizeof **connections);
    if (!connections[i] || !latencies) die("calloc");
    build_request(connections[i]->request);
    connect_to_server(connections[i]);
  }
  run();
  report(now_us() - started_at_us);
  char ignored[64];
  while (read(STDIN_FILENO, ignored, sizeof ignored) > 0) continue;
  return 0;
}
