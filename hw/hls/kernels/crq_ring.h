#ifndef CRQ_RING_H_
#define CRQ_RING_H_

#include "crq_types.h"

// The memory of a folded window: some rows of the image, a word of CONFIG_T::word channels per address. One loop writes
// at most one word and reads at most one per iteration. Before output row 0 the words that it needs first enter; during
// an output row, evenly spread, those that come next, up to a row and a word of it; at the end the rows that none needs.
// All of it at fixed iterations.

namespace crq {

template <typename CONFIG_T> struct ring {
    static const unsigned group_words = CONFIG_T::pixel_words / CONFIG_T::ring_groups;
    static const unsigned row_words = CONFIG_T::in_width * CONFIG_T::pixel_words;
    static const unsigned block_steps = CONFIG_T::kernel_height * CONFIG_T::kernel_width * group_words;
    static const unsigned steps = CONFIG_T::ring_groups * CONFIG_T::blocks * block_steps;
    static const unsigned row_steps = CONFIG_T::out_width * steps;
    static const unsigned depth = CONFIG_T::ring_rows << CONFIG_T::row_bits;
    static const unsigned last_slot = CONFIG_T::ring_rows - 1;
    static const unsigned mask = (1u << CONFIG_T::row_bits) - 1;
    static const unsigned lead = CONFIG_T::first_words + CONFIG_T::idle;
    static const unsigned tail_words = (CONFIG_T::in_height - CONFIG_T::last_row) * row_words;
    static const unsigned trips = lead + CONFIG_T::out_height * CONFIG_T::row_cycles + tail_words;
    static const unsigned longest = lead > CONFIG_T::row_cycles ? lead : CONFIG_T::row_cycles;

    // How far the next word lies in its row, modulo the length of a row: the next tap, the first one again, the same of
    // the next group of channels, and of the next pixel.
    static const unsigned to_tap = CONFIG_T::dilation_width * CONFIG_T::pixel_words - (group_words - 1);
    static const unsigned to_first =
        0u - (CONFIG_T::kernel_width - 1) * CONFIG_T::dilation_width * CONFIG_T::pixel_words - (group_words - 1);
    static const unsigned to_group = to_first + group_words;
    static const unsigned to_pixel =
        to_first + CONFIG_T::stride_width * CONFIG_T::pixel_words - (CONFIG_T::ring_groups - 1) * group_words;
    static const unsigned start = 0u - CONFIG_T::pad_left * CONFIG_T::pixel_words;

    static const unsigned bottom = CONFIG_T::in_height + CONFIG_T::pad_top + CONFIG_T::pad_bottom;
    static const unsigned right = CONFIG_T::in_width + CONFIG_T::pad_left + CONFIG_T::pad_right;
    static const bool padded =
        CONFIG_T::pad_top + CONFIG_T::pad_bottom + CONFIG_T::pad_left + CONFIG_T::pad_right > 0;
};

// What an iteration does.
template <typename CONFIG_T> struct ring_writer {
    typedef ring<CONFIG_T> R;
    counter<R::longest> step; // of the lead, of an output row, or of the tail
    counter<CONFIG_T::out_height + 1> oy; // output row
    bool leads;
    counter<CONFIG_T::period> tick;
    counter<CONFIG_T::in_height + 1> row; // that enters
    counter<R::row_words> low;
    signed_counter<CONFIG_T::until_most + 1> until; // row up to whose word `until_low` words enter in this output row

    ring_writer()
        : step(0), oy(0), leads(true), tick(0), row(0), low(0), until(CONFIG_T::until_first) {}

    bool is_tail() const { return oy == CONFIG_T::out_height; }
    // A word of the image is read, to be kept or, at the end, to be dropped.
    bool keeps() const {
        if (leads)
            return step < CONFIG_T::first_words;
        const bool due = int(row) < until || (int(row) == until && low < CONFIG_T::until_low);
        return !is_tail() && tick + 1 == CONFIG_T::period && row < CONFIG_T::last_row && due;
    }
    bool computes() const { return !leads && !is_tail() && step < R::row_steps; }
    unsigned address() const {
        const unsigned slot = row;
        return ((slot & R::last_slot) << CONFIG_T::row_bits) + low;
    }

    void advance(bool kept) {
        #pragma HLS INLINE
        if (kept) {
            if (low + 1 < R::row_words) {
                low++;
            } else {
                low = 0;
                row++;
            }
        }
        if (is_tail())
            return;
        const bool row_done = leads ? step + 1 == R::lead : step + 1 == CONFIG_T::row_cycles;
        tick = leads || row_done || tick + 1 == CONFIG_T::period ? 0u : unsigned(tick + 1);
        step = row_done ? 0u : unsigned(step + 1);
        if (row_done && !leads) {
            oy++;
            until += CONFIG_T::stride_height;
        }
        if (row_done)
            leads = false;
    }
};

// The word that is read: slowest first, output row and column, group of channels, block of output channels, kernel row
// and column, word of the group.
template <typename CONFIG_T> struct ring_reader {
    typedef ring<CONFIG_T> R;
    counter<R::group_words> word;
    counter<CONFIG_T::kernel_width> kx;
    counter<CONFIG_T::kernel_height> ky;
    counter<CONFIG_T::blocks> block;
    counter<CONFIG_T::ring_groups> group;
    counter<CONFIG_T::out_width> ox;
    counter<R::steps> address;                            // of the word of weights
    counter<CONFIG_T::ring_groups * CONFIG_T::blocks> channel_fold; // block of PE output channels
    counter<R::mask + 1> low;
    signed_counter<R::bottom + CONFIG_T::stride_height> y; // of the tap in the image
    signed_counter<R::right + CONFIG_T::stride_width> x;

    ring_reader()
        : word(0), kx(0), ky(0), block(0), group(0), ox(0), address(0), channel_fold(0), low(R::start & R::mask),
          y(-int(CONFIG_T::pad_top)), x(-int(CONFIG_T::pad_left)) {}

    bool begins_block() const { return word == 0 && kx == 0 && ky == 0; }
    bool ends_block() const {
        return word + 1 == R::group_words && kx + 1 == CONFIG_T::kernel_width && ky + 1 == CONFIG_T::kernel_height;
    }
    bool is_padding() const {
        return R::padded && (y < 0 || y >= int(CONFIG_T::in_height) || x < 0 || x >= int(CONFIG_T::in_width));
    }
    // A tap in the padding has an address too, whose word is not used.
    unsigned place() const {
        const int slot = y;
        return ((slot & R::last_slot) << CONFIG_T::row_bits) + low;
    }

    void advance() {
        #pragma HLS INLINE
        unsigned move = 1;
        bool pixel_done = false;
        if (word + 1 < R::group_words) {
            word++;
        } else {
            word = 0;
            if (kx + 1 < CONFIG_T::kernel_width) {
                kx++;
                x += CONFIG_T::dilation_width;
                move = R::to_tap;
            } else {
                kx = 0;
                x -= (CONFIG_T::kernel_width - 1) * CONFIG_T::dilation_width;
                move = R::to_first;
                if (ky + 1 < CONFIG_T::kernel_height) {
                    ky++;
                    y += CONFIG_T::dilation_height;
                } else {
                    ky = 0;
                    y -= (CONFIG_T::kernel_height - 1) * CONFIG_T::dilation_height;
                    pixel_done = block + 1 == CONFIG_T::blocks && group + 1 == CONFIG_T::ring_groups;
                    channel_fold = pixel_done ? 0u : unsigned(channel_fold + 1);
                    if (block + 1 < CONFIG_T::blocks) {
                        block++;
                    } else {
                        block = 0;
                        group = pixel_done ? 0u : unsigned(group + 1);
                        move = pixel_done ? R::to_pixel : R::to_group;
                    }
                }
            }
        }
        address = pixel_done ? 0u : unsigned(address + 1);
        const bool row_done = pixel_done && ox + 1 == CONFIG_T::out_width;
        if (pixel_done) {
            ox = row_done ? 0u : unsigned(ox + 1);
            x += CONFIG_T::stride_width;
        }
        move += low;
        low = move & R::mask;
        if (row_done) {
            x = -int(CONFIG_T::pad_left);
            y += CONFIG_T::stride_height;
            low = R::start & R::mask;
        }
    }
};

// One iteration of the memory: a word of the image enters if it is time, and `x` is the word that the sums read.
template <class data_T, class x_T, typename CONFIG_T, class operand_T>
void ring_step(hls::stream<data_T> &data, x_T buffer[ring<CONFIG_T>::depth][CONFIG_T::word],
               const ring_writer<CONFIG_T> &to, const ring_reader<CONFIG_T> &from, x_T padding,
               operand_T x[CONFIG_T::word]) {
    #pragma HLS INLINE
    const bool is_padding = from.is_padding();
Read:
    for (unsigned c = 0; c < CONFIG_T::word; c++) {
        #pragma HLS UNROLL
        x[c] = is_padding ? operand_T(padding) : operand_T(buffer[from.place()][c]);
    }
    if (to.keeps()) {
        const data_T beat = data.read();
    Write:
        for (unsigned c = 0; c < CONFIG_T::word; c++) {
            #pragma HLS UNROLL
            buffer[to.address()][c] = beat[c];
        }
    } else if (to.is_tail()) {
        data.read();
    }
}

} // namespace crq

#endif
