#ifndef CRQ_WINDOW_H_
#define CRQ_WINDOW_H_

#include "crq_types.h"

namespace crq {

// Facts about a sliding window that follow from a layer's configuration.
//
// The products of one output channel are numbered f = (ky * kernel_width + kx) * group_channels + c. Hardware sees them
// as input_folds words of simd lanes. A block of pe output channels reads one group of input channels, or, if a group
// has fewer output channels than pe, block_groups of them.
template <typename CONFIG_T> struct geometry {
    static const unsigned group_channels = CONFIG_T::in_channels / CONFIG_T::groups;
    static const unsigned fan_in = CONFIG_T::kernel_height * CONFIG_T::kernel_width * group_channels;
    static const unsigned input_folds = fan_in / CONFIG_T::simd;
    static const unsigned channel_folds = CONFIG_T::out_channels / CONFIG_T::pe;
    static const unsigned group_outputs = CONFIG_T::out_channels / CONFIG_T::groups;
    static const unsigned block_groups = CONFIG_T::pe > group_outputs ? CONFIG_T::pe / group_outputs : 1;
    static const unsigned blocks_per_group = CONFIG_T::pe < group_outputs ? group_outputs / CONFIG_T::pe : 1;
    static const unsigned group_blocks = CONFIG_T::groups / block_groups;
    static const unsigned outputs_per_block_group = CONFIG_T::pe / block_groups;

    static const unsigned span_height = (CONFIG_T::kernel_height - 1) * CONFIG_T::dilation_height + 1;
    static const unsigned span_width = (CONFIG_T::kernel_width - 1) * CONFIG_T::dilation_width + 1;
    static const unsigned padded_height = CONFIG_T::pad_top + CONFIG_T::in_height + CONFIG_T::pad_bottom;
    static const unsigned padded_width = CONFIG_T::pad_left + CONFIG_T::in_width + CONFIG_T::pad_right;
    static const unsigned pixels = padded_height * padded_width;
    static const unsigned out_pixels = CONFIG_T::out_height * CONFIG_T::out_width;

    static const bool has_lines = span_height > 1;
    static const unsigned lines = has_lines ? span_height - 1 : 1;
    static const unsigned line_width = has_lines ? padded_width : 1;
    // Dilated windows also hold the columns between their taps.
    static const bool has_columns = CONFIG_T::dilation_width > 1;
    static const unsigned columns = has_columns ? span_width : 1;
    static const unsigned column_channels = has_columns ? CONFIG_T::in_channels : 1;
    static const unsigned column_rows = has_columns ? CONFIG_T::kernel_height : 1;

    static_assert(fan_in % CONFIG_T::simd == 0, "SIMD divides the products per output");
    static_assert(CONFIG_T::out_channels % CONFIG_T::pe == 0, "PE divides the output channels");
    static_assert(CONFIG_T::pe % group_outputs == 0 || group_outputs % CONFIG_T::pe == 0,
                  "PE divides the output channels of a group or is a multiple of them");
};

// The window's registers. Synthesis sees one register per element, addressed by fold; simulation sees rows of products
// that are padded for vector instructions.
#ifdef CRQ_HLS
template <class T, typename CONFIG_T> struct window {
    typedef geometry<CONFIG_T> G;
    typedef T array[G::group_blocks][G::block_groups][G::input_folds][CONFIG_T::simd];

    static T &at(array &taps, unsigned group, unsigned f) {
        #pragma HLS INLINE
        return taps[group / G::block_groups][group % G::block_groups][f / CONFIG_T::simd][f % CONFIG_T::simd];
    }
    static T get(const array &taps, unsigned group, unsigned f) {
        #pragma HLS INLINE
        return taps[group / G::block_groups][group % G::block_groups][f / CONFIG_T::simd][f % CONFIG_T::simd];
    }
    // The operand of one lane in one cycle.
    static T lane(const array &taps, unsigned block, unsigned block_group, unsigned fold, unsigned simd) {
        #pragma HLS INLINE
        return taps[block][block_group][fold][simd];
    }
};
#else
template <class T, typename CONFIG_T> struct window {
    typedef geometry<CONFIG_T> G;
#ifdef CRQ_FAST_SIM
    static const unsigned row = (G::fan_in + 15) / 16 * 16;
#else
    static const unsigned row = G::fan_in;
#endif
    typedef T array[CONFIG_T::groups][row];

    static T &at(array &taps, unsigned group, unsigned f) { return taps[group][f]; }
    static T get(const array &taps, unsigned group, unsigned f) { return taps[group][f]; }
    static T lane(const array &taps, unsigned block, unsigned block_group, unsigned fold, unsigned simd) {
        return taps[block * G::block_groups + block_group][fold * CONFIG_T::simd + simd];
    }
};
#endif

// Moves the window one column to the right: `column` enters, the oldest column leaves.
template <class T, class x_T, typename CONFIG_T>
void shift_window(typename window<T, CONFIG_T>::array &taps,
                  x_T columns[geometry<CONFIG_T>::column_rows][geometry<CONFIG_T>::columns]
                             [geometry<CONFIG_T>::column_channels],
                  const x_T column[CONFIG_T::kernel_height][CONFIG_T::in_channels]) {
    #pragma HLS INLINE
    typedef geometry<CONFIG_T> G;
    typedef window<T, CONFIG_T> W;
    if (G::has_columns) {
    DilatedRows:
        for (unsigned ky = 0; ky < CONFIG_T::kernel_height; ky++) {
            #pragma HLS UNROLL
        DilatedColumns:
            for (unsigned p = 0; p < G::columns; p++) {
                #pragma HLS UNROLL
            DilatedChannels:
                for (unsigned c = 0; c < G::column_channels; c++) {
                    #pragma HLS UNROLL
                    columns[ky][p][c] = p + 1 < G::columns ? columns[ky][p + 1 < G::columns ? p + 1 : 0][c] : column[ky][c];
                }
            }
        }
    }
Groups:
    for (unsigned g = 0; g < CONFIG_T::groups; g++) {
        #pragma HLS UNROLL
    KernelRows:
        for (unsigned ky = 0; ky < CONFIG_T::kernel_height; ky++) {
            #pragma HLS UNROLL
            const unsigned first = ky * CONFIG_T::kernel_width * G::group_channels;
            const unsigned moved = (CONFIG_T::kernel_width - 1) * G::group_channels;
            if (!G::has_columns) {
            Move:
                for (unsigned i = 0; i < moved; i++) {
                    #pragma HLS UNROLL
                    W::at(taps, g, first + i) = W::at(taps, g, first + i + G::group_channels);
                }
            Enter:
                for (unsigned c = 0; c < G::group_channels; c++) {
                    #pragma HLS UNROLL
                    W::at(taps, g, first + moved + c) = column[ky][g * G::group_channels + c];
                }
            } else {
            KernelColumns:
                for (unsigned kx = 0; kx < CONFIG_T::kernel_width; kx++) {
                    #pragma HLS UNROLL
                Gather:
                    for (unsigned c = 0; c < G::group_channels; c++) {
                        #pragma HLS UNROLL
                        const unsigned p = G::has_columns ? kx * CONFIG_T::dilation_width : 0;
                        const unsigned channel = G::has_columns ? g * G::group_channels + c : 0;
                        W::at(taps, g, first + kx * G::group_channels + c) = columns[G::has_columns ? ky : 0][p][channel];
                    }
                }
            }
        }
    }
}

// Stores `pixel` in the line buffers at column `x` and gives the column of pixels that ends in it.
template <class x_T, typename CONFIG_T>
void shift_lines(const x_T pixel[CONFIG_T::in_channels], counter<geometry<CONFIG_T>::padded_width> x,
                 x_T lines[geometry<CONFIG_T>::lines][geometry<CONFIG_T>::line_width][CONFIG_T::in_channels],
                 x_T column[CONFIG_T::kernel_height][CONFIG_T::in_channels]) {
    #pragma HLS INLINE
    typedef geometry<CONFIG_T> G;
Channels:
    for (unsigned c = 0; c < CONFIG_T::in_channels; c++) {
        #pragma HLS UNROLL
        column[CONFIG_T::kernel_height - 1][c] = pixel[c];
    }
    if (G::has_lines) {
    Taps:
        for (unsigned ky = 0; ky + 1 < CONFIG_T::kernel_height; ky++) {
            #pragma HLS UNROLL
        TapChannels:
            for (unsigned c = 0; c < CONFIG_T::in_channels; c++) {
                #pragma HLS UNROLL
                column[ky][c] = lines[ky * CONFIG_T::dilation_height][x][c];
            }
        }
    Lines:
        for (unsigned j = 0; j < G::lines; j++) {
            #pragma HLS UNROLL
        LineChannels:
            for (unsigned c = 0; c < CONFIG_T::in_channels; c++) {
                #pragma HLS UNROLL
                lines[j][x][c] = j + 1 < G::lines ? lines[j + 1 < G::lines ? j + 1 : 0][x][c] : pixel[c];
            }
        }
    }
}

// The next pixel of the padded image, whole; `padding` outside of the image.
template <class data_T, class x_T, typename CONFIG_T>
void enter_pixel(hls::stream<data_T> &data, bool is_padding, x_T padding, x_T pixel[CONFIG_T::in_channels]) {
    #pragma HLS INLINE
    if (is_padding) {
    Padding:
        for (unsigned c = 0; c < CONFIG_T::in_channels; c++) {
            #pragma HLS UNROLL
            pixel[c] = padding;
        }
    } else {
    Beats:
        for (unsigned b = 0; b < CONFIG_T::in_channels / data_T::size; b++) {
            #pragma HLS UNROLL
            const data_T beat = data.read();
        Beat:
            for (unsigned c = 0; c < data_T::size; c++) {
                #pragma HLS UNROLL
                pixel[b * data_T::size + c] = beat[c];
            }
        }
    }
}

// Where the window stands in the padded image, row by row.
template <typename CONFIG_T> struct position {
    counter<geometry<CONFIG_T>::padded_height> y; // of the pixel that entered last
    counter<geometry<CONFIG_T>::padded_width> x;
    counter<geometry<CONFIG_T>::padded_height + CONFIG_T::stride_height> next_y; // of the one that completes an output
    counter<geometry<CONFIG_T>::padded_width + CONFIG_T::stride_width> next_x;

    position() : y(0), x(0), next_y(geometry<CONFIG_T>::span_height - 1), next_x(geometry<CONFIG_T>::span_width - 1) {}

    bool is_padding() const {
        return y < CONFIG_T::pad_top || y >= CONFIG_T::pad_top + CONFIG_T::in_height || x < CONFIG_T::pad_left ||
               x >= CONFIG_T::pad_left + CONFIG_T::in_width;
    }
    bool is_output() const { return y == next_y && x == next_x; }
    void advance() {
        #pragma HLS INLINE
        if (is_output())
            next_x += CONFIG_T::stride_width;
        if (x + 1 == geometry<CONFIG_T>::padded_width) {
            x = 0;
            next_x = geometry<CONFIG_T>::span_width - 1;
            if (y == next_y)
                next_y += CONFIG_T::stride_height;
            y++;
        } else {
            x++;
        }
    }
};

// The next pixel of the padded image, `padding` outside of the image, enters the line buffers and the window.
template <class data_T, class T, typename CONFIG_T>
void enter_window(hls::stream<data_T> &data, const position<CONFIG_T> &at, typename data_T::value_type padding,
                  typename data_T::value_type lines[geometry<CONFIG_T>::lines][geometry<CONFIG_T>::line_width]
                                                   [CONFIG_T::in_channels],
                  typename data_T::value_type columns[geometry<CONFIG_T>::column_rows][geometry<CONFIG_T>::columns]
                                                     [geometry<CONFIG_T>::column_channels],
                  typename window<T, CONFIG_T>::array &taps) {
    #pragma HLS INLINE
    typedef typename data_T::value_type x_T;
    x_T pixel[CONFIG_T::in_channels];
    #pragma HLS ARRAY_PARTITION variable=pixel complete dim=0
    x_T column[CONFIG_T::kernel_height][CONFIG_T::in_channels];
    #pragma HLS ARRAY_PARTITION variable=column complete dim=0
    enter_pixel<data_T, x_T, CONFIG_T>(data, at.is_padding(), padding, pixel);
    shift_lines<x_T, CONFIG_T>(pixel, geometry<CONFIG_T>::has_lines ? unsigned(at.x) : 0, lines, column);
    shift_window<T, x_T, CONFIG_T>(taps, columns, column);
}

// The window of output pixel (oy, ox) of an image held in an array (io_parallel); `padding` outside of the image.
template <class T, class x_T, typename CONFIG_T>
void gather_window(const x_T image[CONFIG_T::in_height * CONFIG_T::in_width * CONFIG_T::in_channels], unsigned oy,
                   unsigned ox, x_T padding, typename window<T, CONFIG_T>::array &taps) {
    #pragma HLS INLINE
    typedef geometry<CONFIG_T> G;
Groups:
    for (unsigned g = 0; g < CONFIG_T::groups; g++) {
        #pragma HLS UNROLL
    KernelRows:
        for (unsigned ky = 0; ky < CONFIG_T::kernel_height; ky++) {
            #pragma HLS UNROLL
        KernelColumns:
            for (unsigned kx = 0; kx < CONFIG_T::kernel_width; kx++) {
                #pragma HLS UNROLL
                const int y = int(oy * CONFIG_T::stride_height + ky * CONFIG_T::dilation_height) - int(CONFIG_T::pad_top);
                const int x = int(ox * CONFIG_T::stride_width + kx * CONFIG_T::dilation_width) - int(CONFIG_T::pad_left);
                const bool inside = y >= 0 && y < int(CONFIG_T::in_height) && x >= 0 && x < int(CONFIG_T::in_width);
                const unsigned pixel = inside ? unsigned(y) * CONFIG_T::in_width + unsigned(x) : 0;
            Channels:
                for (unsigned c = 0; c < G::group_channels; c++) {
                    #pragma HLS UNROLL
                    const unsigned f = (ky * CONFIG_T::kernel_width + kx) * G::group_channels + c;
                    const unsigned channel = g * G::group_channels + c;
                    window<T, CONFIG_T>::at(taps, g, f) = inside ? image[pixel * CONFIG_T::in_channels + channel] : padding;
                }
            }
        }
    }
}

} // namespace crq

#endif
