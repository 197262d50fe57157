/* What the driver has ordered. */
#ifndef ORDER_H
#define ORDER_H

struct order {
    char workload[32], prefix[64];
    int workers, think_ms, batch, child_rounds;
};

extern struct order order;

/* What the workload "scripts" runs. */
extern const char SCRIPT[];

#endif
