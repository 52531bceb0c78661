/*
 * A Modbus device by libmodbus (an independent stack), driven by lines on standard input.
 *
 *   libmodbus_server tcp PORT            any unit on a TCP port of loopback
 *   libmodbus_server rtu PATH BAUD       unit 1 on a serial port
 *
 *   set TABLE ADDRESS VALUE...           answered by "ok"
 *   get TABLE ADDRESS COUNT              answered by "values V..."
 *   TABLE is coil, discrete, holding or input; each has ENTRIES entries from 0.
 */
#include <errno.h>
#include <modbus.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <unistd.h>

enum { ENTRIES = 1000, LINE = 4096 };

static modbus_mapping_t *map;

static void fail(const char *what) {
  fprintf(stderr, "%s: %s\n", what, modbus_strerror(errno));
  exit(1);
}

/* Bits are bytes, registers are words: one of the two is set. */
static int table_of(const char *name, uint8_t **bits, uint16_t **words) {
  *bits = NULL;
  *words = NULL;
  if (strcmp(name, "coil") == 0) *bits = map->tab_bits;
  else if (strcmp(name, "discrete") == 0) *bits = map->tab_input_bits;
  else if (strcmp(name, "holding") == 0) *words = map->tab_registers;
  else if (strcmp(name, "input") == 0) *words = map->tab_input_registers;
  return *bits != NULL || *words != NULL;
}

static void order(char *line) {
  uint8_t *bits;
  uint16_t *words;
  const char *verb = strtok(line, " \n");
  const char *table = strtok(NULL, " \n");
  const char *first = strtok(NULL, " \n");
  if (verb == NULL || table == NULL || first == NULL || !table_of(table, &bits, &words)) {
    printf("no such order\n");
    return;
  }
  int at = atoi(first);
  char *word = strtok(NULL, " \n");
  if (strcmp(verb, "set") == 0) {
    for (; word != NULL && at >= 0 && at < ENTRIES; at++, word = strtok(NULL, " \n")) {
      if (bits != NULL) bits[at] = atoi(word) != 0;
      else words[at] = (uint16_t)atoi(word);
    }
    printf("ok\n");
    return;
  }
  printf("values");
  for (int left = word == NULL ? 0 : atoi(word); left > 0 && at >= 0 && at < ENTRIES; left--, at++)
    printf(" %d", bits != NULL ? bits[at] : words[at]);
  printf("\n");
}

int main(int argc, char **argv) {
  int is_tcp = argc == 3 && strcmp(argv[1], "tcp") == 0;
  int is_rtu = argc == 4 && strcmp(argv[1], "rtu") == 0;
  if (!is_tcp && !is_rtu) {
    fprintf(stderr, "libmodbus_server tcp PORT | rtu PATH BAUD\n");
    return 64;
  }
  setvbuf(stdout, NULL, _IOLBF, 0);
  modbus_t *context = is_tcp ? modbus_new_tcp("127.0.0.1", atoi(argv[2])) : modbus_new_rtu(argv[2], atoi(argv[3]), 'N', 8, 1);
  if (context == NULL) fail("context");
  map = modbus_mapping_new(ENTRIES, ENTRIES, ENTRIES, ENTRIES);
  if (map == NULL) fail("mapping");

  int listening = -1;
  int connected = -1;
  if (is_tcp) {
    listening = modbus_tcp_listen(context, 1);
    if (listening < 0) fail("listen");
  } else {
    if (modbus_set_slave(context, 1) != 0) fail("unit");
    /* After a request that it cannot read it starts afresh, as a device must on a line with others. */
    if (modbus_set_error_recovery(context, MODBUS_ERROR_RECOVERY_PROTOCOL) != 0) fail("recovery");
    if (modbus_connect(context) != 0) fail("open");
    connected = modbus_get_socket(context);
  }
  printf("listening\n");

  for (;;) {
    fd_set ready;
    FD_ZERO(&ready);
    FD_SET(STDIN_FILENO, &ready);
    if (connected >= 0) FD_SET(connected, &ready);
    else FD_SET(listening, &ready);
    int highest = connected >= 0 ? connected : listening;
    if (select(highest + 1, &ready, NULL, NULL, NULL) < 0) fail("select");
    if (FD_ISSET(STDIN_FILENO, &ready)) {
      char line[LINE];
      /* One line at a time: whoever writes them waits for each answer. */
      ssize_t length = read(STDIN_FILENO, line, sizeof line - 1);
      if (length <= 0) return 0;
      line[length] = 0;
      order(line);
    }
    if (connected < 0) {
      if (FD_ISSET(listening, &ready)) connected = modbus_tcp_accept(context, &listening);
    } else if (FD_ISSET(connected, &ready)) {
      uint8_t query[MODBUS_TCP_MAX_ADU_LENGTH];
      int length = modbus_receive(context, query);
      if (length > 0) modbus_reply(context, query, length, map);
      else if (length < 0 && is_tcp) {
        close(connected);
        connected = -1;
      }
    }
  }
}
