#ifndef CRQ_ENLARGE_H_
#define CRQ_ENLARGE_H_

#include "crq_types.h"

// Each pixel becomes a block of factor_h x factor_w pixels: the same everywhere (parts 1), or one of `parts`
// neighbouring channels in each.

namespace crq {

// io_stream: a beat of the result per cycle. The words of a row wait for the rows below in `row`, those of a pixel for
// the columns beside it in `pixel`; a beat of the input is a word.
template <class data_T, class res_T, typename CONFIG_T>
void enlarge_stream(hls::stream<data_T> &data, hls::stream<res_T> &res,
                    typename data_T::value_type row[CONFIG_T::row_words][data_T::size],
                    typename data_T::value_type pixel[CONFIG_T::pixel_words][data_T::size]) {
    #pragma HLS INLINE
    const unsigned folds = CONFIG_T::channels / CONFIG_T::pe;
    counter<folds> fold = 0;
    counter<CONFIG_T::factor_w> right = 0; // column and row in a block, and the number of its pixel
    counter<CONFIG_T::factor_h> down = 0;
    counter<CONFIG_T::factor_h * CONFIG_T::factor_w> first_part = 0;
    counter<CONFIG_T::row_words> first_word = 0; // of a pixel
    counter<CONFIG_T::width> column = 0;
Beats:
    for (unsigned i = 0; i < CONFIG_T::beats; i++) {
        #pragma HLS PIPELINE II=1 style=flp
        data_T word;
        if (right == 0 && down == 0) {
            word = data.read();
        } else {
        Kept:
            for (unsigned c = 0; c < data_T::size; c++) {
                #pragma HLS UNROLL
                word[c] = right == 0 ? row[first_word + fold][c] : pixel[CONFIG_T::factor_w > 1 ? unsigned(fold) : 0u][c];
            }
        }
    Keep:
        for (unsigned c = 0; c < data_T::size; c++) {
            #pragma HLS UNROLL
            if (CONFIG_T::factor_h > 1 && right == 0 && down == 0)
                row[first_word + fold][c] = word[c];
            if (CONFIG_T::factor_w > 1 && right == 0)
                pixel[fold][c] = word[c];
        }
        const unsigned part = first_part + right;
        res_T beat;
    Lanes:
        for (unsigned pe = 0; pe < CONFIG_T::pe; pe++) {
            #pragma HLS UNROLL
            beat[pe] = word[pe * CONFIG_T::parts + (CONFIG_T::parts > 1 ? part : 0u)];
        }
        res.write(beat);
        if (fold + 1 < folds) {
            fold++;
        } else {
            fold = 0;
            const bool block_ends = right + 1 == CONFIG_T::factor_w;
            const bool row_ends = block_ends && column + 1 == CONFIG_T::width;
            right = block_ends ? 0u : unsigned(right + 1);
            if (row_ends) {
                const bool rows_end = down + 1 == CONFIG_T::factor_h;
                column = 0;
                first_word = 0;
                first_part = rows_end ? 0u : unsigned(first_part + CONFIG_T::factor_w);
                down = rows_end ? 0u : unsigned(down + 1);
            } else if (block_ends) {
                column++;
                first_word = CONFIG_T::factor_h > 1 ? unsigned(first_word + folds) : 0u;
            }
        }
    }
}

template <class x_T, class y_T, typename CONFIG_T>
void enlarge_parallel(const x_T data[CONFIG_T::height * CONFIG_T::width * CONFIG_T::channels * CONFIG_T::parts],
                      y_T res[CONFIG_T::beats * CONFIG_T::pe]) {
    #pragma HLS INLINE
Rows:
    for (unsigned y = 0; y < CONFIG_T::height * CONFIG_T::factor_h; y++) {
        #pragma HLS UNROLL
    Columns:
        for (unsigned x = 0; x < CONFIG_T::width * CONFIG_T::factor_w; x++) {
            #pragma HLS UNROLL
            const unsigned from = y / CONFIG_T::factor_h * CONFIG_T::width + x / CONFIG_T::factor_w;
            const unsigned part = y % CONFIG_T::factor_h * CONFIG_T::factor_w + x % CONFIG_T::factor_w;
        Channels:
            for (unsigned c = 0; c < CONFIG_T::channels; c++) {
                #pragma HLS UNROLL
                res[(y * CONFIG_T::width * CONFIG_T::factor_w + x) * CONFIG_T::channels + c] =
                    data[(from * CONFIG_T::channels + c) * CONFIG_T::parts + (CONFIG_T::parts > 1 ? part : 0u)];
            }
        }
    }
}

} // namespace crq

#endif
