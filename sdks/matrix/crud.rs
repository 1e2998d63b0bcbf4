use openapi::apis::configuration::{ApiKey, Configuration};
use openapi::apis::elastigroups_api::{
    create_elastigroup, delete_elastigroup, get_elastigroup, list_elastigroups, update_elastigroup,
};
use openapi::models::ElastigroupUpdate;
use std::env::var;

fn main() {
    let account = var("SPOT_API_ACCOUNT").unwrap();
    let mut server = Configuration::new();
    server.base_path = var("SPOT_API_URL").unwrap();
    server.api_key = Some(ApiKey { prefix: None, key: var("SPOT_API_TOKEN").unwrap() });

    let body = serde_json::from_str(&var("GROUP").unwrap()).unwrap();
    let id = create_elastigroup(&server, &account, body, None, None, None).unwrap().id.flatten().unwrap();
    let name = get_elastigroup(&server, &account, &id, None, None).unwrap().name.flatten().unwrap();
    let update = ElastigroupUpdate { description: Some(None), ..ElastigroupUpdate::new() };
    update_elastigroup(&server, &account, &id, update, None, None, None, None, None).unwrap();
    let list = list_elastigroups(&server, &account, Some(&name), None, None, None, None, None, None, None).unwrap();
    assert_eq!(list.len(), 1);
    delete_elastigroup(&server, &account, &id, None, None, None, None, None, None, None, None).unwrap();
}
