"""Results and models in the formats of other programs.

cells: the scores of each image as a frame. tables: these as CSV or Parquet. annotated: as AnnData, with what the
classifier saw. mlflow_store: runs in an MLflow store on disk. huggingface: scores as a data set of Hugging Face's.
formats: all of these by name. features: what a model's classifier sees of images. heatmaps: where nets look. models/:
trained models for other programs.
"""
