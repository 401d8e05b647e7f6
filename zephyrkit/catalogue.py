"""What there is to load. Data only."""

from pathlib import Path

PRACTICE = Path(__file__).parent / "practice" / "practice-Q8_0.gguf"
"""The practice model, ready for llama.cpp: shipped with the kit, needs no network."""

PRACTICE_HF = Path(__file__).parent / "practice" / "hf"
"""The practice model as transformers loads it: 16-bit safetensors, tokenizer and template."""
