"""Proofs of a project in SystemVerilog, by Verilator."""
