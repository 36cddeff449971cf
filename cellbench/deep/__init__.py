"""Deep nets and how they learn.

nets/          architectures by name, ours and those of torchvision and timm
pretrained/    weights that were learnt elsewhere, and frozen nets as encoders
recipe.py      every setting of training, as data
augmentation/  random changes of a batch of training images
training/      the one training loop and its parts
classifier.py  a net with all that it takes to score raw images: normalisation.py, precision.py,
               small_convolutions.py and device.py
"""
