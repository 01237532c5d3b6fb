/*
 * acme_board_solver.h - challenges that are answered from the board.
 */
#ifndef ACME_BOARD_SOLVER_H
#define ACME_BOARD_SOLVER_H

#include "acme_board.h"
#include "acme_task.h"

/* For the renewal threads and the witness's rehearsals; board lives as long. */
acme_solver_t acme_board_solver_make(acme_board_t *board);

#endif
