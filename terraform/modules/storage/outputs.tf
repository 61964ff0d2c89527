output "studies_bucket" {
  description = "Name and ARN of the bucket of studies; LIGHTBOX_STORE_URL names it."
  value       = { name = aws_s3_bucket.kept["studies"].id, arn = aws_s3_bucket.kept["studies"].arn }
}

output "models_bucket" {
  description = "Name of the model registry; LIGHTBOX_MODEL_STORE_URL names it."
  value       = aws_s3_bucket.kept["models"].id
}

output "database" {
  description = "Address of RDS and the secret of its owner; null when App's host runs the database."
  value = local.with_database == 0 ? null : {
    address = aws_db_instance.this[0].address
    secret  = one(aws_db_instance.this[0].master_user_secret[*].secret_arn)
  }
}

output "cache_address" {
  description = "Address of ElastiCache; null when App's host runs Redis."
  value       = one(aws_elasticache_replication_group.this[*].primary_endpoint_address)
}

output "registries" {
  description = "Addresses of the image registries, by image."
  value       = { for image, repository in aws_ecr_repository.image : image => repository.repository_url }
}
