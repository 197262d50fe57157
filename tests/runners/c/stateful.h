/* The workloads that need a connection of their own: watch, blocking, pubsub. */
#ifndef STATEFUL_H
#define STATEFUL_H

#include <stdbool.h>
#include <steadis.h>

/* Plays a round of such a workload; `news` is the worker's own subscription. False: it is none. */
bool play_stateful(const steadis_client *client, steadis_subscription *news, int worker, int turn);

/* Whether the worker waits for others, and so needs no rest. */
bool is_patient(int worker);

#endif
