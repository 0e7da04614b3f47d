"""Metrics: how near a model's pictures come to those of a data set, and how well-behaved its latent spaces are.

pictures = finish(open_pictures("portraits:10000", G.config.resolution))
for step in measure(G, pictures, Plan(("fid", "pr")), Lite0Features()): …   # the last step has the measurements
"""
