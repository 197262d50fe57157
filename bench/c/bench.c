/* The C library beside hiredis, in one process, in turns.
 *
 * Machines drift while a benchmark runs; so the contenders take turns of a fraction of a second,
 * and what counts is the ratio within each round. Medians over the rounds are printed. Raw sockets
 * are in the race as the limit: nobody can be faster than a client that does nothing. */
#include "bench.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define VALUE "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static const workload workloads[] = {
    {"GET 64 B, 1 thread", 1, 0, NULL, 2, {"GET", "string"}},
    {"GET 64 B, 8 threads", 8, 0, NULL, 2, {"GET", "string"}},
    {"GET 64 B, 64 threads", 64, 0, NULL, 2, {"GET", "string"}},
    {"pipeline of 100 SET, formatted", 1, 1, "SET %s %s", 3, {"SET", "string", VALUE}},
    {"pipeline of 100 SET, from lists", 1, 1, NULL, 3, {"SET", "string", VALUE}},
    {"HGETALL of 100 fields", 1, 0, NULL, 2, {"HGETALL", "hash"}},
    {"LRANGE of 1000", 1, 0, NULL, 4, {"LRANGE", "list", "0", "-1"}},
};
/* What the library must reach, against the faster hiredis; 0: nothing was set. */
static const double musts[] = {0.98, 1.1, 2, 1.4, 0, 1.3, 1.8};

enum { NEWEST, DEBIAN, STEADIS, RAW, CONTENDERS };
static const contender *const contenders[] = {&with_newest_hiredis, &with_debian_hiredis,
                                              &with_steadis, &raw_sockets};

enum { MOST_ROUNDS = 100, MOST_THREADS = 64, SAMPLES = 1 << 14 };

typedef struct {
    double per_second, cpu_micros, p50_micros;
} turn;

static int port;
static pid_t server;
static const workload *work;
static const contender *racer;
static pthread_barrier_t line;
static atomic_bool stop;

typedef struct {
    long count;
    double latencies[SAMPLES];
} lap;

static lap laps[MOST_THREADS];

void give_up(const char *why) {
    fprintf(stderr, "%s\n", why);
    exit(1);
}

static double seconds(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void *run(void *user) {
    lap *mine = user;
    void *state = racer->begin(port, work);
    double then;
    racer->once(state, work);
    mine->count = 0;
    pthread_barrier_wait(&line);
    then = seconds(CLOCK_MONOTONIC);
    while (!atomic_load_explicit(&stop, memory_order_relaxed)) {
        double now;
        racer->once(state, work);
        now = seconds(CLOCK_MONOTONIC);
        mine->latencies[mine->count++ % SAMPLES] = now - then;
        then = now;
    }
    racer->end(state);
    return NULL;
}

static int smaller_first(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *values, size_t count) {
    qsort(values, count, sizeof *values, smaller_first);
    return count > 0 ? values[count / 2] : 0;
}

/* One caller and the server wait for each other all the time. On two processors of a virtual
 * machine every wake-up is an interrupt from one to the other, which costs as much as the command
 * and varies with what else the host does; on one processor it is a switch between processes, and
 * what is left are the clients. Many callers have all processors. */
static void share_processors(int threads) {
    cpu_set_t processors;
    long count = sysconf(_SC_NPROCESSORS_ONLN), i;
    CPU_ZERO(&processors);
    for (i = threads == 1 ? count - 1 : 0; i < count; i++)
        CPU_SET((size_t)i, &processors);
    if (sched_setaffinity(0, sizeof processors, &processors) != 0 ||
        sched_setaffinity(server, sizeof processors, &processors) != 0)
        give_up("the processors cannot be chosen");
}

static turn take_turn(int slice_ms) {
    static double all[MOST_THREADS * SAMPLES];
    struct timespec slice = {slice_ms / 1000, slice_ms % 1000 * 1000000L};
    pthread_t threads[MOST_THREADS];
    double cpu, began, took;
    size_t samples = 0;
    long count = 0;
    turn result;
    int i;
    stop = false;
    pthread_barrier_init(&line, NULL, (unsigned)work->threads + 1);
    for (i = 0; i < work->threads; i++)
        pthread_create(&threads[i], NULL, run, &laps[i]);
    pthread_barrier_wait(&line);
    cpu = seconds(CLOCK_PROCESS_CPUTIME_ID);
    began = seconds(CLOCK_MONOTONIC);
    nanosleep(&slice, NULL);
    stop = true;
    took = seconds(CLOCK_MONOTONIC) - began;
    cpu = seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu;
    for (i = 0; i < work->threads; i++) {
        size_t some;
        pthread_join(threads[i], NULL);
        some = (size_t)(laps[i].count < SAMPLES ? laps[i].count : SAMPLES);
        memcpy(all + samples, laps[i].latencies, some * sizeof *all);
        samples += some;
        count += laps[i].count;
    }
    pthread_barrier_destroy(&line);
    result.per_second = (double)count / took;
    result.cpu_micros = cpu * 1e6 / (double)(count > 0 ? count : 1);
    result.p50_micros = median(all, samples) * 1e6;
    return result;
}

static void race(int rounds, int slice_ms, double must) {
    static turn turns[CONTENDERS][MOST_ROUNDS];
    double fastest = 1;
    int round, i;
    /* The round before the first warms up. */
    for (round = -1; round < rounds; round++)
        for (i = 0; i < CONTENDERS; i++) {
            turn one;
            racer = contenders[i];
            one = take_turn(slice_ms);
            if (round >= 0)
                turns[i][round] = one;
        }
    printf("\n%s\n  %-42s %6s %7s %8s %10s %9s\n", work->name, "", "ratio", "(min", "max)",
           "CPU us/op", "p50 us");
    for (i = 0; i < CONTENDERS; i++) {
        double ratios[MOST_ROUNDS], cpu[MOST_ROUNDS], p50[MOST_ROUNDS], middle;
        for (round = 0; round < rounds; round++) {
            ratios[round] = turns[i][round].per_second / turns[NEWEST][round].per_second;
            cpu[round] = turns[i][round].cpu_micros;
            p50[round] = turns[i][round].p50_micros;
        }
        middle = median(ratios, (size_t)rounds);
        printf("  %-42s %6.2f %7.2f %8.2f %10.2f %9.1f", contenders[i]->name, middle, ratios[0],
               ratios[rounds - 1], median(cpu, (size_t)rounds), median(p50, (size_t)rounds));
        if (i == DEBIAN && middle > fastest)
            fastest = middle;
        if (i == STEADIS && must > 0)
            printf("   must %.2f%s", must * fastest, middle >= must * fastest ? "" : ", MISSED");
        putchar('\n');
    }
}

static pid_t awake;

static void let_sleep(void) {
    kill(awake, SIGKILL);
}

static void *spin(void *nothing) {
    volatile long turns = 0;
    for (;;)
        turns++;
    return nothing;
}

/* On a virtual machine it takes longer to wake a processor than to ask the server. So a thread of
 * the lowest class there is spins on each, in a process of its own, and gives way to anybody. */
static void keep_awake(void) {
    struct sched_param none = {0};
    pid_t parent = getpid();
    long i;
    if ((awake = fork()) != 0) {
        atexit(let_sleep);
        return;
    }
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(1);
    if (sched_setscheduler(0, SCHED_IDLE, &none) == 0)
        for (i = sysconf(_SC_NPROCESSORS_ONLN); i > 0; i--) {
            pthread_t thread;
            pthread_create(&thread, NULL, spin, NULL);
        }
    for (;;)
        pause();
}

static int setting(const char *name, int otherwise) {
    const char *text = getenv(name);
    int value = text != NULL ? atoi(text) : 0;
    return value > 0 ? value : otherwise;
}

int main(int argc, char **argv) {
    int rounds = setting("STEADIS_BENCH_ROUNDS", 15), slice = setting("STEADIS_BENCH_SLICE_MS", 150);
    size_t i;
    if (argc < 3)
        give_up("usage: bench PORT PID-OF-SERVER [PART-OF-A-NAME]");
    if (rounds > MOST_ROUNDS)
        rounds = MOST_ROUNDS;
    port = atoi(argv[1]);
    server = (pid_t)atoi(argv[2]);
    keep_awake();
    puts("ratio = operations per second against the newest hiredis in Debian, beside that of Debian\n"
         "12; above 1 is faster. A must is against the faster of the two; raw sockets are the limit.");
    for (i = 0; i < sizeof workloads / sizeof *workloads; i++)
        if (argc < 4 || strstr(workloads[i].name, argv[3]) != NULL) {
            work = &workloads[i];
            share_processors(work->threads);
            race(rounds, slice, musts[i]);
        }
    return 0;
}
