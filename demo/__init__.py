"""A scripted agent at work over real resources, judged by the policies in `demo/policies`."""
