"""codeseek finds code and documentation by meaning, in English, Chinese and the mix of both, offline."""

__version__ = "0.1.0"
