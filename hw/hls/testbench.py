"""The testbench: input codes and expected integers; returns non-zero on the first difference.

It writes what it found as hls4ml's testbenches do: tb_data/csim_results.log, or rtl_cosim_results.log where RTL_SIM is
defined. build_prj.tcl compares the two (its step "validation"), and hls4ml's report parser reads them.
"""

from __future__ import annotations

from hw.hls.plan import Plan
from hw.ir.layers import IntArray


def testbench_cpp(plan: Plan, name: str) -> str:
    """Runs under g++ and as the testbench of Vitis HLS C simulation and co-simulation."""
    x, y = plan.input, plan.output
    if plan.io_type == "io_stream":
        declare = 'hls::stream<input_t> input("input");\n        hls::stream<result_t> result("result");'
        put = f"""for (unsigned p = 0; p < {x.shape.pixels}; p++) {{
            input_t beat;
            for (unsigned c = 0; c < {x.shape.c}; c++)
                beat[c] = codes[p * {x.shape.c} + c];
            input.write(beat);
        }}"""
        get = f"""for (unsigned p = 0; p < {y.shape.pixels}; p++) {{
            const result_t beat = result.read();
            for (unsigned c = 0; c < {y.shape.c}; c++)
                found[p * {y.shape.c} + c] = (long long)(beat[c]);
        }}"""
    else:
        declare = f"input_t input[{x.shape.size}];\n        result_t result[{y.shape.size}];"
        put = f"for (unsigned i = 0; i < {x.shape.size}; i++)\n            input[i] = codes[i];"
        get = f"for (unsigned i = 0; i < {y.shape.size}; i++)\n            found[i] = (long long)(result[i]);"
    return f"""// Testbench of {name}: every image of tb_data/input_codes.dat must give that of tb_data/expected.dat.

#include "firmware/{name}.h"
#include <fstream>
#include <iostream>
#include <vector>

// build_prj.tcl compares the logs of both runs.
#ifdef RTL_SIM
static const char *const RESULTS_LOG = "tb_data/rtl_cosim_results.log";
#else
static const char *const RESULTS_LOG = "tb_data/csim_results.log";
#endif

static bool read_line(std::ifstream &file, std::vector<long long> &values) {{
    for (size_t i = 0; i < values.size(); i++)
        if (!(file >> values[i]))
            return false;
    return true;
}}

int main() {{
    std::ifstream inputs("tb_data/input_codes.dat"), expectations("tb_data/expected.dat");
    if (!inputs.is_open() || !expectations.is_open()) {{
        std::cerr << "ERROR: run in the project folder, or add tb_data to the testbench: no tb_data/*.dat here\\n";
        return 2;
    }}
    std::ofstream log(RESULTS_LOG);
    if (!log.is_open()) {{
        std::cerr << "ERROR: cannot write " << RESULTS_LOG << "\\n";
        return 2;
    }}
    std::vector<long long> codes({x.shape.size}), expected({y.shape.size}), found({y.shape.size});
    unsigned images = 0;
    while (read_line(inputs, codes)) {{
        if (!read_line(expectations, expected)) {{
            std::cerr << "ERROR: tb_data/expected.dat ends before image " << images << "\\n";
            return 2;
        }}
        {declare}
        {put}
        {name}(input, result);
        {get}
        for (size_t i = 0; i < found.size(); i++)
            log << found[i] << " ";
        log << std::endl; // each image at once: the log ends with the first that differs
        for (size_t i = 0; i < found.size(); i++) {{
            if (found[i] != expected[i]) {{
                std::cerr << "ERROR: image " << images << ", integer " << i << ": expected " << expected[i]
                          << ", found " << found[i] << "\\n";
                return 1;
            }}
        }}
        images++;
    }}
    log.close();
    if (log.fail()) {{
        std::cerr << "ERROR: " << RESULTS_LOG << " is not written whole\\n";
        return 2;
    }}
    if (images == 0) {{
        std::cerr << "ERROR: tb_data/input_codes.dat holds no image\\n";
        return 2;
    }}
    std::cout << "bit-exact: " << images << " images\\n";
    return 0;
}}
"""


def data_file(values: IntArray) -> str:
    """One image per line, in the order in which the hardware takes or gives them: (height, width, channel)."""
    rows = values.transpose(0, 2, 3, 1).reshape(values.shape[0], -1)
    return "".join(" ".join(map(str, row)) + "\n" for row in rows.tolist())
