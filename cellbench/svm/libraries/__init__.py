"""Libraries that fit a C-SVC, each behind the same interface; `svm.backends` lists them."""
