"""Saved models in formats that other programs run or read.

images: what is done to images first, as layers. features: those of SVMs, as layers. classifiers: nets, probes and SVMs,
as layers. graph: a whole model as one module. onnx_file: that module as ONNX, and whether onnxruntime agrees.
tensors_file: a model's tensors as safetensors. card: what a person needs to know of a model, in Markdown. formats: all
of these by name.
"""
