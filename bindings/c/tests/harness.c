#define _GNU_SOURCE
#include "harness.h"

#include <cjson/cJSON.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int passed, failed;

void check(bool good, const char *what, const char *file, int line) {
    __atomic_add_fetch(good ? &passed : &failed, 1, __ATOMIC_RELAXED);
    if (!good)
        printf("%s:%d: not so: %s\n", file, line, what);
}

bool well(steadis_status status, steadis_error **error, const char *what, const char *file,
          int line) {
    check(status == STEADIS_OK, what, file, line);
    if (status != STEADIS_OK)
        printf("    %d: %s\n", (int)status, *error ? (*error)->message : "no error");
    steadis_error_free(*error);
    *error = NULL;
    return status == STEADIS_OK;
}

void fails(steadis_status status, steadis_status kind, const char *words, steadis_error **error,
           const char *what, const char *file, int line) {
    bool so = status == kind && *error != NULL && (*error)->status == kind &&
              strstr((*error)->message, words) != NULL;
    check(so, what, file, line);
    if (!so)
        printf("    %d: %s\n", (int)status, *error ? (*error)->message : "no error");
    steadis_error_free(*error);
    *error = NULL;
}

bool is(const steadis_reply *reply, const char *text) {
    return reply != NULL && reply->str != NULL && reply->len == strlen(text) &&
           strcmp(reply->str, text) == 0;
}

int result(void) {
    printf("%d passed, %d failed\n", passed, failed);
    return failed == 0 ? 0 : 1;
}

long long now_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

static void die(const char *why) {
    printf("the test cannot run: %s\n0 passed, 1 failed\n", why);
    exit(1);
}

/* Starts a program with its stdout, and its stdin if wanted, in our hands. */
static pid_t start(char *const argv[], FILE **output, FILE **input) {
    int out[2], in[2];
    pid_t parent = getpid(), child;
    if (pipe2(out, 0) != 0 || pipe2(in, 0) != 0)
        die("no pipe");
    fflush(stdout);
    child = fork();
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent)
            _exit(1);
        dup2(out[1], 1);
        dup2(in[0], 0);
        close(out[0]);
        close(in[1]);
        execvp(argv[0], argv);
        _exit(127);
    }
    close(out[1]);
    close(in[0]);
    *output = fdopen(out[0], "r");
    if (input != NULL)
        *input = fdopen(in[1], "w");
    return child;
}

static char folder[] = "/tmp/steadis-c-XXXXXX";
static char redis_socket[64];
static pid_t redis_pid, redis_parent;

static void redis_stop(void) {
    if (redis_pid != 0 && getpid() == redis_parent) {
        kill(redis_pid, SIGKILL);
        waitpid(redis_pid, NULL, 0);
        unlink(redis_socket);
        rmdir(folder);
    }
}

const char *redis_start(void) {
    char line[512];
    FILE *log;
    if (mkdtemp(folder) == NULL)
        die("no temporary folder");
    snprintf(redis_socket, sizeof redis_socket, "%s/redis", folder);
    char *argv[] = {"redis-server", "--port", "0", "--unixsocket", redis_socket, "--save", "",
                    "--appendonly", "no", "--dir", folder, NULL};
    redis_parent = getpid();
    redis_pid = start(argv, &log, NULL);
    atexit(redis_stop);
    while (fgets(line, sizeof line, log) != NULL)
        if (strcasestr(line, "ready to accept connections") != NULL)
            return redis_socket;
    die("redis-server does not start");
    return NULL;
}

steadis_options *redis_options(void) {
    steadis_options *options = NULL;
    steadis_error *error = NULL;
    WELL(steadis_options_new(&options, &error));
    WELL(steadis_options_set_json(options, "env", "false", &error));
    WELL(steadis_options_set(options, "path", redis_socket, &error));
    return options;
}

steadis_client *redis_client(void) {
    steadis_options *options = redis_options();
    steadis_client *client = NULL;
    steadis_error *error = NULL;
    WELL(steadis_connect(options, &client, &error));
    steadis_options_free(options);
    return client;
}

static FILE *lab_out, *lab_in;
static char lab_events[1 << 16];

/* Reads a line of the lab, and notes it if it is an event. */
static cJSON *lab_line(void) {
    static char line[1 << 16];
    cJSON *json;
    const char *event;
    if (fgets(line, sizeof line, lab_out) == NULL)
        die("the lab has ended");
    json = cJSON_Parse(line);
    event = cJSON_GetStringValue(cJSON_GetObjectItem(json, "event"));
    if (event != NULL && strlen(lab_events) + strlen(event) + 2 < sizeof lab_events)
        strcat(strcat(lab_events, event), "\n");
    return json;
}

void lab_start(const char *options) {
    char command[512];
    cJSON *line, *one;
    const char *program = getenv("STEADIS_LAB");
    snprintf(command, sizeof command, "exec \"%s\" lab serve %s", program, options);
    char *argv[] = {"sh", "-c", command, NULL};
    start(argv, &lab_out, &lab_in);
    line = lab_line();
    cJSON_ArrayForEach(one, cJSON_GetObjectItem(line, "environment"))
        setenv(one->string, cJSON_GetStringValue(one), 1);
    cJSON_Delete(line);
}

void lab(const char *verb) {
    fprintf(lab_in, "{\"id\":1,%s\n", verb + 1);
    fflush(lab_in);
    for (;;) {
        cJSON *line = lab_line();
        bool answer = cJSON_HasObjectItem(line, "id");
        cJSON *why = cJSON_GetObjectItem(line, "error");
        if (why != NULL)
            die(cJSON_GetStringValue(why));
        cJSON_Delete(line);
        if (answer)
            return;
    }
}

void lab_wait(const char *event, int nth) {
    for (;;) {
        const char *at = lab_events;
        int seen = 0;
        while ((at = strstr(at, event)) != NULL) {
            at += strlen(event);
            seen++;
        }
        if (seen >= nth)
            return;
        cJSON_Delete(lab_line());
    }
}
