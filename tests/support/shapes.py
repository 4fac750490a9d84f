"""The shape of a sample for every network of crq.models, without the batch."""

SHAPES = {
    "digits-cnn": (1, 8, 8), "lenet": (1, 28, 28), "convnet": (1, 28, 28), "signal": (1, 64), "separable": (3, 32, 32),
    "vgg7": (3, 32, 32), "resnet8": (3, 32, 32), "resnet20": (3, 32, 32), "resnet32": (3, 32, 32),
    "resnet44": (3, 32, 32), "vgg7-unrolled": (3, 32, 32), "resnet56": (3, 32, 32), "resnet18": (3, 224, 224),
    "alexnet": (3, 227, 227), "mlp": (16,), "jet-mlp": (16,), "unsw-mlp": (593,), "toycar-autoencoder": (640,),
    "ds-cnn": (1, 49, 10), "mobilenet": (3, 96, 96),
}  # fmt: skip
