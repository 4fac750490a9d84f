"""The RTL form of a network: SystemVerilog that open tools simulate and synthesise."""
