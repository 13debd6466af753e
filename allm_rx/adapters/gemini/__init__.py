"""Google's protocols, as AI Studio and Vertex AI speak them."""
