"""cellbench: is a deep net worth it on my cells, or does an SVM on HOG features do?"""

__version__ = "0.1.0"
