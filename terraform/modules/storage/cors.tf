# Pages of the portal may send large files straight to the bucket, each by a permit of App's that binds key, size and type.

resource "aws_s3_bucket_cors_configuration" "studies" {
  count  = var.direct_from == "" ? 0 : 1
  bucket = aws_s3_bucket.kept["studies"].id

  cors_rule {
    allowed_methods = ["POST"]
    allowed_origins = [var.direct_from]
    max_age_seconds = 3600
  }
}
