"""Methods that end in a support vector machine: on pixels, on features, on what a trained net has learnt."""
