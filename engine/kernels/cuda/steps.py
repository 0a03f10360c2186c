"""Recurrent steps on a GPU in Triton: all steps of all reviews in one launch.

One program takes 16 reviews of nearly equal length and all cells.  The input part of the gates, W x + b, is a table
with one row for each word, computed beforehand.  The recurrent product writes each weight and each h as two float16
numbers (the value, and 2048 times the rest), so that three tensor-core products give 22 bits: errors after 500 steps
stay below 2e-5.  Layers of up to 16 cells use float32 without tensor cores.

`narrow` leaves the state in registers, for layers of up to 128 cells; `wide` takes blocks of cells, one after the
other, and passes h through memory that the L2 cache holds.  `engine.kernels.cuda.launch` chooses one and prepares the
arguments.  ``Cell.step`` is the reference.
"""

from __future__ import annotations

import triton
import triton.language as tl

RNN, GRU, LSTM = tl.constexpr(1), tl.constexpr(3), tl.constexpr(4)  # the number of gates identifies a cell
ROWS = tl.constexpr(16)  # reviews of one program: the fewest that tl.dot takes, and the fastest number on an H100
SPLIT = tl.constexpr(2048.0)  # 2¹¹: the bits of a float16 number
LOW = tl.constexpr(0.1)  # a gate below LOW or above HIGH is saturated, as in engine.activity
HIGH = tl.constexpr(0.9)


# ---- arithmetic ----------------------------------------------------------------------------------------------------


@triton.jit
def sigmoid(x):
    """1 / (1 + exp(−x))."""
    return 1.0 / (1.0 + tl.exp(-x))


@triton.jit
def tanh(x):
    """tanh x from exp(−2|x|), which cannot overflow."""
    power = tl.exp(-2.0 * tl.abs(x))
    size = (1.0 - power) / (1.0 + power)
    return tl.where(x < 0, -size, size)


@triton.jit
def split(x, HALF: tl.constexpr):
    """Return x as two float16 numbers, x ≈ high + low / 2048; without HALF, x and nothing."""
    if HALF:
        high = x.to(tl.float16)
        return high, ((x - high.to(tl.float32)) * SPLIT).to(tl.float16)
    else:
        return x, 0.0


@triton.jit
def add_product(sums, high, low, weight_high, weight_low, HALF: tl.constexpr):
    """Return sums + h w, from both parts of h (rows, k) and of w (k, columns)."""
    if HALF:
        rest = tl.dot(high, weight_low)
        rest = tl.dot(low, weight_high, rest)
        return tl.dot(high, weight_high, sums) + rest * (1.0 / SPLIT)
    else:
        return tl.dot(high, weight_high, sums, input_precision="ieee")


# ---- the cells -----------------------------------------------------------------------------------------------------


@triton.jit
def clamped(values, clamps, signal, j, N: tl.constexpr, CLAMPED: tl.constexpr):
    """Return the values of a signal with its clamped cells replaced; a clamp of NaN leaves a cell free."""
    if CLAMPED:
        at = tl.load(clamps + signal * N + j)
        return tl.where((at == at)[None, :], at[None, :], values)
    else:
        return values


@triton.jit
def lstm_signals(i, f, g, o, c, clamps, j, N: tl.constexpr, CLAMPED: tl.constexpr):
    """Return i, f, g, o, c, c_out and h from the arguments of the gates and the old c."""
    i = clamped(sigmoid(i), clamps, 0, j, N, CLAMPED)
    f = clamped(sigmoid(f), clamps, 1, j, N, CLAMPED)
    g = clamped(tanh(g), clamps, 2, j, N, CLAMPED)
    o = clamped(sigmoid(o), clamps, 3, j, N, CLAMPED)
    c = clamped(f * c + i * g, clamps, 4, j, N, CLAMPED)
    c_out = clamped(tanh(c), clamps, 5, j, N, CLAMPED)
    h = clamped(o * c_out, clamps, 6, j, N, CLAMPED)
    return i, f, g, o, c, c_out, h


@triton.jit
def gru_signals(r, z, x, hidden, h, clamps, j, N: tl.constexpr, CLAMPED: tl.constexpr):
    """Return r, z, n and h from the arguments of r and z, both parts of that of n, and the old h."""
    r = clamped(sigmoid(r), clamps, 0, j, N, CLAMPED)
    z = clamped(sigmoid(z), clamps, 1, j, N, CLAMPED)
    candidate = clamped(tanh(x + r * hidden), clamps, 2, j, N, CLAMPED)
    h = clamped(candidate + z * (h - candidate), clamps, 3, j, N, CLAMPED)
    return r, z, candidate, h


# ---- input and output ----------------------------------------------------------------------------------------------


@triton.jit
def reviews_of_program(tokens, lengths, order, reviews, time):
    """Return of 16 reviews: index, length, position of the first word in a (review, time) array, and the first id."""
    b = tl.program_id(0) * ROWS + tl.arange(0, ROWS)
    inside = b < reviews
    review = tl.load(order + b, mask=inside, other=0).to(tl.int64)
    length = tl.load(lengths + review, mask=inside, other=0)
    start = review * time
    return review, length, start, tl.load(tokens + start, mask=length > 0, other=0)


@triton.jit
def write_record(signals, slots, out, start, t, on, j, reviews, time, n: tl.constexpr):
    """Store each signal in its slot of ``out`` (slot, review, time, cell); a negative slot stores nothing."""
    mask = on[:, None] & (j < n)[None, :]
    place = (start + t)[:, None] * n + j[None, :]
    size = reviews.to(tl.int64) * time * n
    for signal in tl.static_range(len(signals)):
        slot = tl.load(slots + signal)
        tl.store(out + slot * size + place, signals[signal], mask=mask & (slot >= 0))


@triton.jit
def sums_over_cells(signals, readout, j, n: tl.constexpr, N: tl.constexpr):
    """Return the sums over cells of all signals, and after them Σ w h, (16, 8); of an RNN (16, 2).

    The signals are joined first, so that the warps exchange their parts once and not for every signal.
    """
    count: tl.constexpr = len(signals)
    inside = (j < n)[None, :, None]
    h = signals[count - 1]
    weighted = tl.load(readout + j)[None, :] * h
    if count == 1:
        return tl.sum(tl.where(inside, tl.join(h, weighted), 0.0), 1)
    else:
        if count == 7:
            even = tl.join(tl.join(signals[0], signals[4]), tl.join(signals[2], h))
            odd = tl.join(tl.join(signals[1], signals[5]), tl.join(signals[3], weighted))
        else:
            even = tl.join(tl.join(signals[0], weighted), tl.join(signals[2], h))
            odd = tl.join(tl.join(signals[1], h), tl.join(h, h))
        joined = tl.reshape(tl.join(even, odd), (ROWS, N, 8))
        return tl.sum(tl.where(inside, joined, 0.0), 1)


@triton.jit
def write_sums(total, slots, sums, start, t, on, reviews, time, COUNT: tl.constexpr):
    """Store the columns of ``total`` in their slots of ``sums`` (slot, review, time)."""
    slot = tl.load(slots + tl.arange(0, COUNT))
    place = slot.to(tl.int64)[None, :] * (reviews.to(tl.int64) * time) + (start + t)[:, None]
    tl.store(sums + place, total, mask=on[:, None] & (slot >= 0)[None, :])


@triton.jit
def add_statistics(x, mean, square, saturated, t, on, BITS: tl.constexpr):
    """Update mean, Σ(x − mean)² and counts of saturated steps of each (review, cell) by one word (Welford 1962).

    ``saturated`` holds the number of steps below LOW, plus 2^BITS times the number above HIGH: registers are scarce.
    """
    above: tl.constexpr = 1 << BITS
    step = tl.where(on[:, None], x - mean, 0.0)
    mean += step / (t + 1)
    square += step * (x - mean)
    saturated += tl.where(on[:, None], tl.where(x < LOW, 1, tl.where(x > HIGH, above, 0)), 0)
    return mean, square, saturated


@triton.jit
def write_statistics(
    mean, square, saturated, statistics, review, length, j, reviews, n: tl.constexpr, BITS: tl.constexpr
):  # fmt: skip
    """Store mean, Σ(x − mean)² and the counts below LOW and above HIGH in ``statistics`` (4, review, cell)."""
    mask = (length > 0)[:, None] & (j < n)[None, :]
    place = statistics + review[:, None] * n + j[None, :]
    size = reviews.to(tl.int64) * n
    tl.store(place, mean, mask=mask)
    tl.store(place + size, square, mask=mask)
    tl.store(place + 2 * size, (saturated & ((1 << BITS) - 1)).to(tl.float32), mask=mask)
    tl.store(place + 3 * size, (saturated >> BITS).to(tl.float32), mask=mask)


# ---- kernels -------------------------------------------------------------------------------------------------------


@triton.jit(do_not_specialize=["reviews", "time"])  # a size of 1 would become a constant, without the type int32
def narrow(
    table, weight_high, weight_low, bias_hn, tokens, lengths, order, state, clamps, slots, out, sum_slots, sums,
    readout, statistics, reviews, time,
    CELL: tl.constexpr, n: tl.constexpr, N: tl.constexpr, HALF: tl.constexpr, KEEP_HIGH: tl.constexpr,
    KEEP_LOW: tl.constexpr, CLAMPED: tl.constexpr, RECORD: tl.constexpr, SUMS: tl.constexpr, STATISTIC: tl.constexpr,
    BITS: tl.constexpr,
):  # fmt: skip
    """Run a layer whose state and, with KEEP_HIGH and KEEP_LOW, weights stay on chip; BITS as in `add_statistics`."""
    review, length, start, word = reviews_of_program(tokens, lengths, order, reviews, time)
    j = tl.arange(0, N)
    weight = tl.arange(0, N)[:, None] * N + j[None, :]
    S: tl.constexpr = N * N
    cells = (j < n)[None, :]
    parts: tl.constexpr = 2 if CELL == LSTM else 1
    states = state + review[:, None] * (parts * n) + j[None, :]
    read = (length > 0)[:, None] & cells
    h = tl.load(states, mask=read, other=0.0)
    high, low = split(h, HALF)
    if CELL == LSTM:
        c = tl.load(states + n, mask=read, other=0.0)
    if CELL == GRU:
        hidden_bias = tl.load(bias_hn + j)[None, :]
    if KEEP_HIGH:
        high_0 = tl.load(weight_high + weight)
        if CELL != RNN:
            high_1 = tl.load(weight_high + S + weight)
            high_2 = tl.load(weight_high + 2 * S + weight)
        if CELL == LSTM:
            high_3 = tl.load(weight_high + 3 * S + weight)
    if KEEP_LOW:
        low_0 = tl.load(weight_low + weight)
        if CELL != RNN:
            low_1 = tl.load(weight_low + S + weight)
            low_2 = tl.load(weight_low + 2 * S + weight)
        if CELL == LSTM:
            low_3 = tl.load(weight_low + 3 * S + weight)
    if STATISTIC >= 0:
        mean = tl.zeros((ROWS, N), tl.float32)
        square = tl.zeros((ROWS, N), tl.float32)
        saturated = tl.zeros((ROWS, N), tl.int32 if BITS == 16 else tl.int64)
    for t in range(tl.max(length, 0)):
        on = t < length
        inputs = table + word.to(tl.int64)[:, None] * (CELL * N) + j[None, :]
        gate_0 = tl.load(inputs)
        if CELL != RNN:
            gate_1 = tl.load(inputs + N)
            gate_2 = tl.load(inputs + 2 * N)
        if CELL == LSTM:
            gate_3 = tl.load(inputs + 3 * N)
        # The next word is fetched one step ahead, behind the products of this one.
        word = tl.load(tokens + start + t + 1, mask=t + 1 < length, other=0)
        if not KEEP_HIGH:
            high_0 = tl.load(weight_high + weight)
        if not KEEP_LOW:
            low_0 = tl.load(weight_low + weight)
        gate_0 = add_product(gate_0, high, low, high_0, low_0, HALF)
        if CELL != RNN:
            if not KEEP_HIGH:
                high_1 = tl.load(weight_high + S + weight)
            if not KEEP_LOW:
                low_1 = tl.load(weight_low + S + weight)
            gate_1 = add_product(gate_1, high, low, high_1, low_1, HALF)
            if not KEEP_HIGH:
                high_2 = tl.load(weight_high + 2 * S + weight)
            if not KEEP_LOW:
                low_2 = tl.load(weight_low + 2 * S + weight)
        if CELL == LSTM:
            gate_2 = add_product(gate_2, high, low, high_2, low_2, HALF)
            if not KEEP_HIGH:
                high_3 = tl.load(weight_high + 3 * S + weight)
            if not KEEP_LOW:
                low_3 = tl.load(weight_low + 3 * S + weight)
            gate_3 = add_product(gate_3, high, low, high_3, low_3, HALF)
            signals = lstm_signals(gate_0, gate_1, gate_2, gate_3, c, clamps, j, N, CLAMPED)
            c = signals[4]
            h = signals[6]
        elif CELL == GRU:
            hidden = add_product(tl.broadcast_to(hidden_bias, (ROWS, N)), high, low, high_2, low_2, HALF)
            signals = gru_signals(gate_0, gate_1, gate_2, hidden, h, clamps, j, N, CLAMPED)
            h = signals[3]
        else:
            h = clamped(tanh(gate_0), clamps, 0, j, N, CLAMPED)
            signals = (h,)
        high, low = split(h, HALF)
        if RECORD:
            write_record(signals, slots, out, start, t, on, j, reviews, time, n)
        if SUMS:
            count: tl.constexpr = 2 if CELL == RNN else 8
            total = sums_over_cells(signals, readout, j, n, N)
            write_sums(total, sum_slots, sums, start, t, on, reviews, time, count)
        if STATISTIC >= 0:
            mean, square, saturated = add_statistics(signals[STATISTIC], mean, square, saturated, t, on, BITS)
        ends = (t + 1 == length)[:, None] & cells
        tl.store(states, h, mask=ends)
        if CELL == LSTM:
            tl.store(states + n, c, mask=ends)
    if STATISTIC >= 0:
        write_statistics(mean, square, saturated, statistics, review, length, j, reviews, n, BITS)


@triton.jit(do_not_specialize=["reviews", "time"])
def wide(
    table, weight_high, weight_low, bias_hn, tokens, lengths, order, state, clamps, slots, out, sum_slots, sums,
    readout, statistics, hidden, memory, reviews, time,
    CELL: tl.constexpr, n: tl.constexpr, N: tl.constexpr, BLOCK: tl.constexpr,
    CLAMPED: tl.constexpr, RECORD: tl.constexpr, SUMS: tl.constexpr, STATISTIC: tl.constexpr,
):  # fmt: skip
    """Run a layer of any size in blocks of cells.

    ``hidden`` (2, review, 2, N) float16 holds both parts of h before and after a step, ``memory`` (review, N) the c of
    an LSTM or the h of a GRU; N is a multiple of BLOCK.
    """
    review, length, start, word = reviews_of_program(tokens, lengths, order, reviews, time)
    parts: tl.constexpr = 2 if CELL == LSTM else 1
    b = (tl.program_id(0) * ROWS + tl.arange(0, ROWS)).to(tl.int64)  # rows of the scratch memory are not reviews
    row = hidden + b[:, None] * (2 * N)
    other = tl.num_programs(0).to(tl.int64) * (ROWS * 2 * N)
    lane = tl.arange(0, BLOCK)
    states = state + review[:, None] * (parts * n)
    for first in range(0, N, BLOCK):
        j = (first + lane)[None, :]
        read = (length > 0)[:, None] & (j < n)
        h = tl.load(states + j, mask=read, other=0.0)
        high, low = split(h, True)
        tl.store(row + j, high)
        tl.store(row + N + j, low)
        if CELL == LSTM:
            tl.store(memory + b[:, None] * N + j, tl.load(states + n + j, mask=read, other=0.0))
        if CELL == GRU:
            tl.store(memory + b[:, None] * N + j, h)
        if STATISTIC >= 0:
            zero = tl.zeros((ROWS, BLOCK), tl.float32)
            write_statistics(zero, zero, zero.to(tl.int32), statistics, review, length, first + lane, reviews, n, 16)
    count: tl.constexpr = 2 if CELL == RNN else 8
    for t in range(tl.max(length, 0)):
        tl.debug_barrier()
        on = t < length
        old = row + (t % 2) * other
        new = row + ((t + 1) % 2) * other
        inputs = table + word.to(tl.int64)[:, None] * (CELL * N)
        word = tl.load(tokens + start + t + 1, mask=t + 1 < length, other=0)
        if SUMS:
            total = tl.zeros((ROWS, count), tl.float32)
        for first in range(0, N, BLOCK):
            j = first + lane
            gate_0 = tl.load(inputs + j[None, :])
            if CELL != RNN:
                gate_1 = tl.load(inputs + N + j[None, :])
            if CELL == GRU:
                gate_2 = tl.broadcast_to(tl.load(bias_hn + j)[None, :], (ROWS, BLOCK))
            if CELL == LSTM:
                gate_2 = tl.load(inputs + 2 * N + j[None, :])
                gate_3 = tl.load(inputs + 3 * N + j[None, :])
            for k in range(0, N, BLOCK):
                high = tl.load(old + (k + lane)[None, :])
                low = tl.load(old + N + (k + lane)[None, :])
                w = (k + lane)[:, None] * N + j[None, :]
                gate_0 = add_product(gate_0, high, low, tl.load(weight_high + w), tl.load(weight_low + w), True)
                if CELL != RNN:
                    w += N * N
                    gate_1 = add_product(gate_1, high, low, tl.load(weight_high + w), tl.load(weight_low + w), True)
                    w += N * N
                    gate_2 = add_product(gate_2, high, low, tl.load(weight_high + w), tl.load(weight_low + w), True)
                if CELL == LSTM:
                    w += N * N
                    gate_3 = add_product(gate_3, high, low, tl.load(weight_high + w), tl.load(weight_low + w), True)
            if CELL == LSTM:
                c = tl.load(memory + b[:, None] * N + j[None, :])
                signals = lstm_signals(gate_0, gate_1, gate_2, gate_3, c, clamps, j, N, CLAMPED)
                c = signals[4]
                h = signals[6]
                tl.store(memory + b[:, None] * N + j[None, :], c)
            elif CELL == GRU:
                h = tl.load(memory + b[:, None] * N + j[None, :])
                x = tl.load(inputs + 2 * N + j[None, :])
                signals = gru_signals(gate_0, gate_1, x, gate_2, h, clamps, j, N, CLAMPED)
                h = signals[3]
                tl.store(memory + b[:, None] * N + j[None, :], h)
            else:
                h = clamped(tanh(gate_0), clamps, 0, j, N, CLAMPED)
                signals = (h,)
            high, low = split(h, True)
            tl.store(new + j[None, :], high)
            tl.store(new + N + j[None, :], low)
            if RECORD:
                write_record(signals, slots, out, start, t, on, j, reviews, time, n)
            if SUMS:
                total += sums_over_cells(signals, readout, j, n, BLOCK)
            if STATISTIC >= 0:
                update = on[:, None] & (j < n)[None, :]
                place = statistics + review[:, None] * n + j[None, :]
                size = reviews.to(tl.int64) * n
                x = signals[STATISTIC]
                mean = tl.load(place, mask=update, other=0.0)
                step = x - mean
                mean += step / (t + 1)
                tl.store(place, mean, mask=update)
                square = tl.load(place + size, mask=update, other=0.0)
                tl.store(place + size, square + step * (x - mean), mask=update)
                below = tl.load(place + 2 * size, mask=update, other=0.0)
                tl.store(place + 2 * size, below + tl.where(x < LOW, 1.0, 0.0), mask=update)
                above = tl.load(place + 3 * size, mask=update, other=0.0)
                tl.store(place + 3 * size, above + tl.where(x > HIGH, 1.0, 0.0), mask=update)
            ends = (t + 1 == length)[:, None] & (j < n)[None, :]
            tl.store(states + j[None, :], h, mask=ends)
            if CELL == LSTM:
                tl.store(states + n + j[None, :], c, mask=ends)
        if SUMS:
            write_sums(total, sum_slots, sums, start, t, on, reviews, time, count)
