/* The worker in an event loop. */
#ifndef EVENTED_H
#define EVENTED_H

/* Plays its order until it is told to stop. */
void run_evented(void);

#endif
