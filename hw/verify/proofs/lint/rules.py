"""The rules, one sentence each, and what a broken one looks like. docs/lint.md is made from this table."""

from __future__ import annotations

from typing import NamedTuple

RULES = {
    "syntax": "the grammar reads every line, in every branch of conditional compilation; a macro stands for "
    "statements, an expression or a type; no assembler, and no directive but `#define`, `#undef`, `#include`, `#if` "
    "and its branches, `#pragma`, `#error`",
    "dynamic-memory": "no dynamic memory: `new`, `delete`, `malloc`, `free`",
    "polymorphism": "no run-time polymorphism: `virtual`, `dynamic_cast`, `typeid`",
    "exceptions": "no exceptions",
    "standard-library": "nothing of the standard library, under any name: no `std::`, no `using namespace`, no "
    "containers, no header in angle brackets",
    "input-output": "no input or output: the `printf` family, C++ streams, files",
    "floating-point": "no floating point",
    "storage-class": "no storage that synthesis does not know: `thread_local`, `mutable`, `volatile`",
    "static-state": "no variable outlives a call: `static` and file-level variables are constants",
    "pointer": "no pointers to data or functions and no references to functions",
    "array-size": "the size of an array is a constant, template parameter or field of a configuration",
    "recursion": "no function calls itself, directly or through others, in any file",
    "loop-kind": "loops are `for` loops with one `unsigned` index: no `while`, `do`, `goto`, range `for`",
    "loop-bound": "an index starts at and is compared with a constant, template parameter or field of a configuration",
    "loop-step": "an index moves towards its bound by a literal step that is not zero, and the body does not change it",
    "product": "`*` has at most one factor that is no constant, and that one is an index; `/` and `%` divide an index "
    "by a constant; data multiply in the kernel of integer products alone, under BIND_OP",
    "pragma-form": "every pragma is in the table of forms below",
    "pragma-place": "`UNROLL`, `PIPELINE`, `INLINE` and `DATAFLOW` stand first in the body that they apply to",
    "pragma-variable": "a pragma names a variable declared above it in the same block, a parameter of the function, "
    "or a table of the layer; what else it names is a constant",
}

# Pragmas of Vitis HLS 2022.2 and later that the sources use, with the forms they may take.
PRAGMAS = {
    "INLINE": r"(off)?",
    "UNROLL": r"(factor=\w+)?",
    "PIPELINE": r"II=(1|CONFIG_T::code_bits)( style=flp)?",
    "DATAFLOW": r"",
    "ARRAY_PARTITION": r"variable=\w+ (complete|block factor=\d+) dim=\d+",
    "ARRAY_RESHAPE": r"variable=\w+ complete dim=\d+",
    "BIND_STORAGE": r"variable=\w+ type=(rom_1p|ram_s2p|fifo) impl=(bram|lutram)",
    "BIND_OP": r"variable=\w+ op=mul impl=fabric",
    "STREAM": r"variable=\w+ depth=\d+",
    "INTERFACE": r"mode=((axis|ap_vld) port=\w+|ap_ctrl_none port=return)",
    "DEPENDENCE": r"variable=\w+ inter RAW distance=\d+ true",
}


class Finding(NamedTuple):
    """`rule`, a key of `RULES`, broken in `file` at `line`."""

    file: str
    line: int
    rule: str
    text: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.text.strip()} ({self.rule}: {RULES[self.rule]})"
